// Grids of numbers, drawn as tables: the cells of one plane, the padding around them, and frames
// that lie over windows. Nothing here knows what the numbers mean. stage.js has grids that can be
// pointed at, player.js has those that are only looked at. Read on: layout.js.

// Make an element with attributes and children.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// Make an element whose inside is markup of our own making (maths.js).
export function marked(tag, attributes, markup) {
  const node = el(tag, attributes);
  node.innerHTML = markup;
  return node;
}

// The shape of the planes of an array: its last two axes, one row where there is one axis.
export const planeShape = (spatial) => (spatial.length === 1 ? [1, spatial[0]] : spatial.slice(-2));

// The part of an index that lies within a plane, from a row and a column.
export const inPlane = (axes, row, column) => (axes === 1 ? [column] : [row, column]);

// Draw one plane. `cell(row, column)` returns a td; `ring` is the padding, in rows and columns;
// `first` is what the numbers at the edges count from, or null for none; `above` whether columns
// have them too; `role` is that of its rows.
export function drawPlane({
  rows,
  columns,
  cell,
  ring = NO_RING,
  first = null,
  above = true,
  role = null,
}) {
  const head = (number, scope) =>
    el("th", { scope, "aria-hidden": "true" }, String(number + first));
  const blank = () => el("td", { class: "ring", "aria-hidden": "true" });
  const table = el("table", { role: "presentation" });
  if (first !== null) {
    const cells = [el("td", { class: "corner", "aria-hidden": "true" })];
    for (let c = -ring.left; c < columns + ring.right; c++) {
      cells.push(
        above && c >= 0 && c < columns ? head(c, "col") : el("td", { "aria-hidden": "true" }),
      );
    }
    table.append(el("tr", { class: "heads", "aria-hidden": "true" }, ...cells));
  }
  for (let r = -ring.top; r < rows + ring.bottom; r++) {
    const inside = r >= 0 && r < rows;
    const row = el("tr", inside ? { role } : { "aria-hidden": "true" });
    if (first !== null) {
      row.append(inside ? head(r, "row") : el("td", { class: "corner", "aria-hidden": "true" }));
    }
    for (let c = -ring.left; c < columns + ring.right; c++) {
      row.append(inside && c >= 0 && c < columns ? cell(r, c) : blank());
    }
    table.append(row);
  }
  return el("div", { class: first === null ? "plane" : "plane numbered" }, table);
}

const NO_RING = { top: 0, bottom: 0, left: 0, right: 0 };

// The padding around a plane, from the pads of its axes; where x is cropped there is none.
export function ringOf(pads) {
  const [rows, columns] = pads.length === 1 ? [[0, 0], pads[0]] : pads.slice(-2);
  const [top, bottom, left, right] = [...rows, ...columns].map((pad) => Math.max(pad, 0));
  return { top, bottom, left, right };
}

// Lay frames over a plane: each begins at a row and a column and spans some; the later ones lie
// further inside, so that all edges are seen.
export function drawFrames(plane, frames, ring = NO_RING) {
  plane.querySelectorAll(".frame").forEach((old) => old.remove());
  frames.forEach(({ from, size, tone }, k) => {
    const [row, column] = from.length === 1 ? [0, from[0]] : from.slice(-2);
    const [rows, columns] = size.length === 1 ? [1, size[0]] : size.slice(-2);
    const style =
      `--row:${row + ring.top};--column:${column + ring.left};--rows:${rows};--columns:${columns};` +
      `--inset:${1 - 2.5 * k}px;--tone:var(--tone-${tone})`;
    plane.append(el("div", { class: "frame", style, "aria-hidden": "true" }));
  });
}

// The size of text in a cell, by how long it is.
export const fitClass = (text) => (text.length > 6 ? "tiny" : text.length > 4 ? "small" : "");
