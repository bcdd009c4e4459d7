// The arrays that can be pointed at: X, W, b and O above, and below each of them its gradient.
// Each array is a grid in the sense of ARIA: one stop of the Tab key, arrow keys within.
// Pointing tells app.js, which says what is lit. Read on: panel.js.

import { reasonAt } from "./axis.js";
import { drawFrames, drawPlane, el, fitClass, inPlane, marked, planeShape } from "./draw.js";
import { indicesOf } from "./derive.js";
import { arraysOf, layoutFor, prefixShape, ringAround, spatialShape } from "./layout.js";
import { mathsArray, mathsElement, maths } from "./maths.js";
import { arrayName, called, elementName, textName } from "./notation.js";
import { GIVEN, shown } from "./numbers.js";

const OPERATORS = { x: "∗", w: "+", b: "=" };
const TRANSPOSED = { ...OPERATORS, x: "∗ᵀ" };
const LONGEST_NAME = 6; // letters of a name that fits into a cell

const key = (array, index) => `${array}:${index}`;

export class Stage {
  // `on` has what happens: point(element), leave(), pick(element), type(element, text).
  constructor(host, on) {
    this.host = host;
    this.on = on;
    this.cells = new Map();
    host.addEventListener("pointerover", (event) => this.#pointed(event));
    host.addEventListener("pointerleave", () => on.leave());
    host.addEventListener("click", (event) => this.#picked(event));
    host.addEventListener("focusin", (event) => this.#picked(event));
    host.addEventListener("keydown", (event) => this.#key(event));
  }

  // Draw all arrays of a problem; `value(array, index)` gives every number.
  draw({ spec, value, notation, words }) {
    Object.assign(this, { spec, notation });
    this.cells.clear();
    this.planes = new Map();
    this.lit = [];
    const parts = [];
    const operators = spec.transposed ? TRANSPOSED : OPERATORS;
    for (const array of arraysOf(spec)) {
      parts.push(this.#drawArray(array, value, words));
      const name = called(spec, array);
      if (name in operators) {
        parts.push(
          el("span", { class: `operator after-${name}`, "aria-hidden": "true" }, operators[name]),
        );
      }
    }
    this.host.replaceChildren(...parts);
    this.fit();
  }

  #drawArray(array, value, words) {
    const shape = this.spec.shapes[array];
    const name = called(this.spec, array);
    const symbol = arrayName(this.spec, array, this.notation);
    const label = [symbol, words.arrays[name], shape.join(" × ")].join(", ");
    const planes = el("div", { class: "planes", role: "grid", "aria-label": label });
    for (const prefix of indicesOf(prefixShape(this.spec, array))) {
      planes.append(this.#drawOnePlane(array, prefix, value, words));
    }
    planes.querySelector("[role=gridcell]")?.setAttribute("tabindex", "0");
    const own = ["gx", "gw", "gb"].includes(name)
      ? []
      : [el("span", { class: "what" }, words.arrays[name])];
    const title = el(
      "div",
      { class: "caption" },
      marked(
        "span",
        { class: "symbol", "aria-hidden": "true" },
        maths(mathsArray(this.spec, array, this.notation)),
      ),
      ...own,
    );
    return el("div", { class: `array is-${name}` }, title, planes);
  }

  #drawOnePlane(array, prefix, value, words) {
    const spatial = spatialShape(this.spec, array);
    const [rows, columns] = planeShape(spatial);
    const axes = Math.min(spatial.length, 2);
    const cell = (row, column) => {
      const index = array.endsWith("b") ? [row] : [...prefix, ...inPlane(axes, row, column)];
      return this.#cell(array, index, value(array, index));
    };
    const ring = ringAround(this.spec, array);
    const first = this.notation === "textbook" ? 1 : 0;
    const plane = drawPlane({
      rows,
      columns,
      cell,
      ring,
      first,
      above: !array.endsWith("b"),
      role: "row",
    });
    this.planes.set(key(array, prefix), { plane, ring });
    const label = planeName(this.spec, array, prefix, this.notation, words);
    return el(
      "div",
      { class: "sheet", role: "rowgroup" },
      ...(label ? [el("span", { class: "sheet-name" }, label)] : []),
      plane,
    );
  }

  #cell(array, index, number) {
    const text = shown(number);
    const bare = array === "gx" && reasonAt(this.spec, index.slice(2)) ? "bare" : "";
    const node = el("td", {
      role: "gridcell",
      tabindex: "-1",
      class: `cell ${fitClass(text)} ${bare}`,
      "aria-label": `${textName(this.spec, array, index, this.notation)}, ${text}`,
    });
    node.append(marked("span", { class: "name" }, ""), el("span", { class: "number" }, text));
    node.element = { array, index };
    this.cells.set(key(array, index), node);
    return node;
  }

  // Light what an element depends on; `term` is the one that is emphasised, or null.
  light({ chosen, cells, frames, opposite }, term) {
    for (const node of this.lit) {
      node.classList.remove("lit", "chosen", "opposite", "faded");
      node.style.removeProperty("--tone");
      node.removeAttribute("aria-selected");
      node.removeAttribute("aria-describedby");
      node.firstChild.textContent = "";
    }
    this.lit = [];
    for (const { array, index, tone, term: own } of cells) {
      const node = this.#mark(array, index, "lit");
      if (!node || (node.style.getPropertyValue("--tone") && own !== term)) continue;
      node.style.setProperty("--tone", `var(--tone-${tone})`);
      node.classList.toggle("faded", term !== null && own !== term);
    }
    this.#mark(opposite.array, opposite.index, "opposite");
    const node = this.#mark(chosen.array, chosen.index, "chosen");
    if (node) {
      node.setAttribute("aria-selected", "true");
      node.setAttribute("aria-describedby", "words reading");
      this.#stop(node);
    }
    this.#frame(frames);
  }

  #mark(array, index, state) {
    const node = this.cells.get(key(array, index));
    if (!node) return null;
    if (elementName(this.spec, array, index, this.notation).length <= LONGEST_NAME) {
      node.firstChild.innerHTML = maths(mathsElement(this.spec, array, index, this.notation));
    }
    node.classList.add(state);
    this.lit.push(node);
    return node;
  }

  #frame(frames) {
    for (const [name, { plane, ring }] of this.planes) {
      const own = frames.filter(({ array, plane: prefix }) => key(array, prefix) === name);
      drawFrames(plane, own, ring);
    }
  }

  // Make a cell the one stop of the Tab key in its array.
  #stop(node) {
    const grid = node.closest("[role=grid]");
    grid.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
    node.setAttribute("tabindex", "0");
  }

  // Whether the focus is on an array, so that redrawing has to bring it back.
  holdsFocus() {
    return this.host.contains(document.activeElement);
  }

  focus({ array, index }) {
    this.cells.get(key(array, index))?.focus();
  }

  #pointed(event) {
    if (event.pointerType === "touch") return;
    const node = event.target.closest(".cell");
    if (node) this.on.point(node.element);
    else this.on.leave();
  }

  #picked(event) {
    const node = event.target.closest(".cell");
    if (node) this.on.pick(node.element);
  }

  #key(event) {
    const node = event.target.closest(".cell");
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = this.#neighbour(node.element, event.key);
    if (next) {
      event.preventDefault();
      next.focus();
    } else if (
      GIVEN.includes(node.element.array) &&
      (event.key === "Enter" || /^[-0-9.]$/.test(event.key))
    ) {
      event.preventDefault();
      this.on.type(node.element, event.key === "Enter" ? null : event.key);
    }
  }

  // The cell that an arrow key leads to: a step within the plane, or else on the next plane.
  #neighbour({ array, index }, pressed) {
    const step = STEPS[pressed];
    if (!step) return null;
    const [rowAxis, columnAxis] = array.endsWith("b")
      ? [0, -1]
      : this.spec.axes === 1
        ? [-1, index.length - 1]
        : [index.length - 2, index.length - 1];
    const next = [...index];
    const shape = this.spec.shapes[array];
    if (step.edge !== undefined) {
      if (columnAxis >= 0) next[columnAxis] = step.edge * (shape[columnAxis] - 1);
      return this.cells.get(key(array, next));
    }
    const axis = step.axis === "row" ? rowAxis : columnAxis;
    if (axis >= 0) next[axis] += step.by;
    const there = axis >= 0 ? this.cells.get(key(array, next)) : null;
    return there ?? this.#otherPlane(array, index, step.by);
  }

  #otherPlane(array, index, by) {
    const count = array.endsWith("b") ? 0 : index.length - Math.min(this.spec.axes, 2);
    const prefixes = [...indicesOf(this.spec.shapes[array].slice(0, count))];
    const now = prefixes.findIndex((prefix) => String(prefix) === String(index.slice(0, count)));
    const prefix = prefixes[now + by];
    return prefix && this.cells.get(key(array, [...prefix, ...index.slice(count)]));
  }

  // Choose the layout and the size of a cell by the room there is.
  fit() {
    if (!this.spec) return;
    const { layout, cell, across } = layoutFor(
      this.spec,
      this.host.clientWidth,
      window.innerHeight,
    );
    this.host.dataset.layout = layout;
    this.host.style.setProperty("--cell", `${cell}px`);
    for (const array of arraysOf(this.spec)) {
      const planes = this.host.querySelector(`.is-${called(this.spec, array)} .planes`);
      planes.style.setProperty("--across", across[array]);
    }
  }
}

const STEPS = {
  ArrowLeft: { axis: "column", by: -1 },
  ArrowRight: { axis: "column", by: 1 },
  ArrowUp: { axis: "row", by: -1 },
  ArrowDown: { axis: "row", by: 1 },
  Home: { edge: 0 },
  End: { edge: 1 },
};

// What tells a plane from the others: `image 1, channel 2`; nothing where there is one.
export function planeName(spec, array, prefix, notation, words) {
  const ofWeights = spec.transposed ? ["c", "o", "d"] : ["o", "c", "d"];
  const kinds = array.endsWith("w") ? ofWeights : ["n", "c", "d"];
  const from = notation === "textbook" ? 1 : 0;
  return prefix
    .map((at, axis) =>
      spec.shapes[array][axis] > 1 ? `${words.planes[kinds[axis]]} ${at + from}` : "",
    )
    .filter(Boolean)
    .join(", ");
}
