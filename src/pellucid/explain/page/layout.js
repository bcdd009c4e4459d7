// Where the arrays of the stage stand, and how large a cell is, by the room there is: arrays above
// their gradients, or each beside its gradient, or all below each other. Read on: stage.js.

import { planeShape, ringOf } from "./draw.js";
import { called } from "./notation.js";
import { product } from "./spec.js";

// As they are called, in the order in which they stand.
const NAMES = ["x", "w", "b", "y", "gx", "gw", "gb", "gy"];
export const arraysOf = (spec) => NAMES.map((name) => called(spec, name));

export const MOST_CELLS = 800; // of one array that is drawn
const MOST_SIDE = 32;
const MOST_ACROSS = 4; // planes of one array beside each other

// Pixels: cells of one plane and of several, the least ones, and what lies between and beside them.
const [LARGEST, MIDDLE, SMALL, LEAST] = [44, 36, 34, 22];
const [GAP, HEAD, SPACE, OPERATOR] = [2, 14, 12, 34];
const BESIDE_ROWS = 480; // of height, for titles and the equation

const isBias = (array) => array.endsWith("b");

// The axes of an array that lie in space; the bias is a column.
export const spatialShape = (spec, array) =>
  isBias(array) ? [spec.shapes.b[0], 1] : spec.shapes[array].slice(2);

// The axes that number its planes.
export const prefixShape = (spec, array) =>
  isBias(array) ? [] : spec.shapes[array].slice(0, 2 + Math.max(spec.axes - 2, 0));

export const ringAround = (spec, array) =>
  ringOf(array === "x" || array === "gx" ? spec.p : [[0, 0]]);

// The array that is too large to be drawn, or null.
export function tooLarge(spec) {
  const shapes = ["x", "w", "b", "y"].map((array) => [array, spec.shapes[array]]);
  const found = shapes.find(
    ([array, shape]) =>
      product(shape) > MOST_CELLS ||
      (!isBias(array) && shape.slice(2).some((size) => size > MOST_SIDE)),
  );
  return found ? found[0] : null;
}

// How many planes of an array stand beside each other: the channels, where there is room.
function acrossOf(spec, array, narrow) {
  if (narrow) return 1;
  const [first = 1, second = 1] = prefixShape(spec, array).filter((size) => size > 1);
  return Math.min(second > 1 ? second : first, MOST_ACROSS);
}

function widthOf(spec, array, cell, narrow) {
  const [, columns] = planeShape(spatialShape(spec, array));
  const { left, right } = ringAround(spec, array);
  const plane = (columns + left + right) * (cell + GAP) + HEAD + SPACE;
  return acrossOf(spec, array, narrow) * plane;
}

// With arrays in two rows, cells so small that both rows and the equation are seen at once.
function largestByHeight(spec, height) {
  const rows = Math.max(...NAMES.map((array) => planeShape(spatialShape(spec, array))[0]));
  const fitting = Math.floor((height - BESIDE_ROWS) / (2 * rows)) - GAP;
  return Math.max(SMALL, Math.min(LARGEST, fitting));
}

// Return the name of the layout, the size of a cell, and how many planes of each array stand beside
// each other, for a stage of that width and a window of that height.
export function layoutFor(spec, width, height) {
  const widths = (cell, narrow) =>
    ["x", "w", "b", "y"].map((array) => widthOf(spec, array, cell, narrow));
  const row = (cell) => widths(cell, false).reduce((sum, one) => sum + one + OPERATOR, 0);
  const pairs = (narrow) => (cell) => 2 * Math.max(...widths(cell, narrow));
  const stack = (cell) => Math.max(...widths(cell, true));
  const single = NAMES.every((array) => product(prefixShape(spec, array)) <= 1);
  const largest = single ? LARGEST : MIDDLE;
  const byHeight = Math.min(largest, largestByHeight(spec, height));
  const choices = [
    { layout: "row", narrow: false, needs: row, least: 28, largest: byHeight },
    {
      layout: "pairs",
      narrow: false,
      needs: pairs(false),
      least: spec.axes === 1 ? SMALL : 25,
      largest,
    },
    {
      layout: "pairs",
      narrow: true,
      needs: pairs(true),
      least: spec.axes === 1 ? SMALL : LEAST,
      largest,
    },
    { layout: "stack", narrow: true, needs: stack, least: LEAST, largest },
  ];
  const fitted = choices.map((choice) => ({ ...choice, cell: cellFor(choice, width) }));
  const { layout, narrow, cell } =
    fitted.find((one) => one.needs(one.cell) <= width) ?? fitted.at(-1);
  const across = Object.fromEntries(NAMES.map((array) => [array, acrossOf(spec, array, narrow)]));
  return { layout, cell, across };
}

function cellFor({ needs, least, largest }, width) {
  let cell = largest;
  while (cell > least && needs(cell) > width) cell -= 1;
  return cell;
}
