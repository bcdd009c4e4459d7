// How many windows hold each pixel, as a heat map; where none does, the cell is hatched and says why.
// Batch and channels make no difference, so there is one plane. Read on: goto.js.

import { coverageAt, reasonAt } from "./axis.js";
import { indicesOf } from "./derive.js";
import { drawPlane, el, inPlane, planeShape } from "./draw.js";
import { elementName } from "./notation.js";

const SHORT = { leftover: "L", stride: "S", dilation: "D", crop: "C" };
const [LARGEST_CELL, LEAST_CELL] = [40, 20]; // pixels

// The text of a pixel, and its cell: shaded by its share of the most windows that hold any.
const textOf = (count, reason) => (reason ? SHORT[reason] : String(count));

function drawCell(count, reason, most, title) {
  const kind = reason ? "bare" : "heated";
  const style = reason ? null : `--heat:${Math.round((100 * count) / most)}%`;
  const number = el("span", { class: "number" }, textOf(count, reason));
  return el("td", { class: `cell ${kind}`, title, style }, number);
}

export function drawHeat(host, legend, { spec, notation, words }) {
  const axes = Math.min(spec.axes, 2);
  const [rows, columns] = planeShape(spec.i);
  const pixels = [...indicesOf(spec.i)];
  const counts = pixels.map((pixel) => coverageAt(spec, pixel));
  const reasons = pixels.map((pixel) => reasonAt(spec, pixel));
  const cell = (outer) => (row, column) => {
    const pixel = [...outer, ...inPlane(axes, row, column)];
    const k = pixels.findIndex((other) => String(other) === String(pixel));
    const name = elementName(spec, "x", [0, 0, ...pixel], notation);
    const why = words.legend[reasons[k]];
    const title = why ? `${name}: ${why}` : words.coverCell(name, counts[k]);
    return drawCell(counts[k], reasons[k], Math.max(...counts), title);
  };
  const first = notation === "textbook" ? 1 : 0;
  const planes = [...indicesOf(spec.i.slice(0, -axes))].map((outer) =>
    drawPlane({ rows, columns, cell: cell(outer), first }),
  );
  const label = `${words.cover}: ${counts.map((count, k) => textOf(count, reasons[k])).join(" ")}`;
  host.replaceChildren(el("div", { class: "planes", role: "img", "aria-label": label }, ...planes));
  const room = Math.floor(host.parentElement.clientWidth / (columns + 1)) - 2;
  host.style.setProperty("--cell", `${Math.max(LEAST_CELL, Math.min(LARGEST_CELL, room))}px`);
  drawLegend(legend, new Set(reasons.filter(Boolean)), words);
}

function drawLegend(host, reasons, words) {
  const notes = [...reasons].map((reason) => {
    const swatch = { class: "swatch cell bare", "aria-hidden": "true" };
    return el("p", {}, el("span", swatch, SHORT[reason]), words.legend[reason]);
  });
  host.replaceChildren(...(notes.length ? notes : [el("p", {}, words.coverAll)]));
}
