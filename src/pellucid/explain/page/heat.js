// How many windows hold each pixel, as a heat map; where none does, the cell is hatched and says why.
// Batch and channels make no difference, so there is one plane. Read on: code.js.

import { coverageAt, reasonAt } from "./axis.js";
import { indicesOf } from "./derive.js";
import { drawPlane, el, inPlane, planeShape } from "./draw.js";
import { elementName } from "./notation.js";

const SHORT = { leftover: "L", stride: "S", dilation: "D" };

export function drawHeat(host, legend, { spec, notation, words }) {
  const axes = Math.min(spec.axes, 2);
  const [rows, columns] = planeShape(spec.i);
  const all = [...indicesOf(spec.i)].map((places) => coverageAt(spec, places));
  const most = Math.max(...all, 1);
  const reasons = new Set();
  const cell = (outer) => (row, column) => {
    const places = [...outer, ...inPlane(axes, row, column)];
    const count = coverageAt(spec, places);
    const reason = reasonAt(spec, places);
    if (reason) reasons.add(reason);
    const name = elementName(spec, "x", [0, 0, ...places], notation);
    const said = reason ? `${name}: ${words.legend[reason]}` : words.coverCell(name, count);
    return el("td", {
      class: `cell ${reason ? `bare bare-${reason}` : "heated"}`, title: said, role: "gridcell", "aria-label": said,
      style: reason ? null : `--heat:${Math.round((100 * count) / most)}%`,
    }, el("span", { class: "number" }, reason ? SHORT[reason] : String(count)));
  };
  const planes = [...indicesOf(spec.i.slice(0, spec.axes - axes))].map((outer) =>
    el("div", { role: "rowgroup" }, drawPlane({ rows, columns, cell: cell(outer), first: notation === "textbook" ? 1 : 0 })));
  host.replaceChildren(el("div", { class: "planes", role: "grid", "aria-label": words.cover, tabindex: "0" }, ...planes));
  const room = Math.floor(host.parentElement.clientWidth / (columns + 1)) - 2;
  host.style.setProperty("--cell", `${Math.max(20, Math.min(40, room))}px`);
  const notes = [...reasons].map((reason) =>
    el("p", {}, el("span", { class: `swatch cell bare bare-${reason}`, "aria-hidden": "true" }, SHORT[reason]), words.legend[reason]));
  legend.replaceChildren(...(notes.length ? notes : [el("p", {}, words.coverAll)]));
}
