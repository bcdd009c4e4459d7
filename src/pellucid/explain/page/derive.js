// The equation of any element: a sum of terms, each a product of named elements.
//
//     y [n,o,i,j] = sum over c,u,v of  x w,  and b        gx[n,c,h,w] = sum over o,i,j of  gy w
//     gw[o,c,u,v] = sum over n,i,j of  gy x               gb[o]       = sum over n,i,j of  gy
//
// All four walk over the same meetings of a pixel, a tap and a window (axis.js); they differ in
// which of the three stands still. Of a transposed convolution, b is added to gx, which is its output,
// and gb is the sum over x, which is its dL/dy. It is what pellucid.explain.derive does in Python, in
// the same order. Read on: numbers.js.

import { axesOf, everyPixel, everyWindow, ofPixel, ofTap, ofWindow } from "./axis.js";
import { product } from "./spec.js";
import { latexName, textName } from "./notation.js";

const range = (start, count) => Array.from({ length: count }, (_, k) => start + k);

// Walk over all choices of one entry from each list, the last list fastest.
export function* choices(lists, chosen = []) {
  if (chosen.length === lists.length) yield chosen;
  else for (const entry of lists[chosen.length]) yield* choices(lists, [...chosen, entry]);
}

// All indices of a shape in order.
export const indicesOf = (shape) => choices(shape.map((size) => range(0, size)));

// The channels of x or of y that share their group with one of the other.
export const inGroup = (spec, channel, channels, of) =>
  range(Math.floor((channel * spec.g) / channels) * (of / spec.g), of / spec.g);

// What stands still and what runs, for each kind of element: the batch, both channels, and for
// each axis the list of meetings.
const WALKS = {
  y: (spec, [n, o, ...at]) => ({
    n: [n],
    o: [o],
    c: inGroup(spec, o, spec.o, spec.c),
    meetings: axesOf(spec).map((axis, k) => ofWindow(axis, at[k])),
  }),
  gx: (spec, [n, c, ...at]) => ({
    n: [n],
    o: inGroup(spec, c, spec.c, spec.o),
    c: [c],
    meetings: axesOf(spec).map((axis, k) => ofPixel(axis, at[k])),
  }),
  gw: (spec, [o, c, ...at]) => ({
    n: range(0, spec.n),
    o: [o],
    c: [inGroup(spec, o, spec.o, spec.c)[c]],
    meetings: axesOf(spec).map((axis, k) => ofTap(axis, at[k])),
  }),
  gb: (spec, [channel]) => ({
    n: range(0, spec.n),
    o: [spec.transposed ? 0 : channel],
    c: [spec.transposed ? channel : 0],
    meetings: axesOf(spec).map(spec.transposed ? everyPixel : everyWindow),
  }),
};

// The factors of one term, as [array, index]; the gradient of the output comes first.
const FACTORS = {
  y: (at) => [
    ["x", at.x],
    ["w", at.w],
  ],
  gx: (at) => [
    ["gy", at.y],
    ["w", at.w],
  ],
  gw: (at, transposed) => {
    const both = [
      ["gy", at.y],
      ["x", at.x],
    ];
    return transposed ? both.reverse() : both;
  },
  gb: (at, transposed) => [transposed ? ["x", at.x] : ["gy", at.y]],
};

// Where something is met; a sum over one of the two ends alone meets nothing at the other.
const met = (index) => (index.includes(undefined) ? null : index);

// The array that b is added to: the output.
const outputOf = ({ transposed }) => (transposed ? "gx" : "y");

// How many terms an element has, without making them.
export function countTerms(spec, array, index) {
  const walk = WALKS[array](spec, index);
  const lists = [walk.n, walk.o, walk.c, ...walk.meetings];
  return product(lists.map((list) => list.length)) + (array === outputOf(spec) ? 1 : 0);
}

// The terms of an element in order; each knows its factors, and the window and the pixel that meet
// there, as the indices of y and x.
export function* termsOf(spec, array, index) {
  const walk = WALKS[array](spec, index);
  const within = spec.c / spec.g;
  for (const [n, o, c, ...meetings] of choices([walk.n, walk.o, walk.c, ...walk.meetings])) {
    const at = {
      x: [n, c, ...meetings.map(({ h }) => h)],
      w: [o, c % within, ...meetings.map(({ u }) => u)],
      y: [n, o, ...meetings.map(({ i }) => i)],
    };
    const factors = FACTORS[array](at, spec.transposed);
    yield { factors, window: met(at.y), pixel: met(at.x) };
  }
  if (array !== outputOf(spec)) return;
  const place = { [spec.transposed ? "pixel" : "window"]: [...index] };
  yield { factors: [["b", [index[1]]]], ...place };
}

// The equation of one element as text: `dL/dx13 = dL/do11 w13 + dL/do12 w11`.
export const textOf = (spec, array, index, notation = "textbook") =>
  written(spec, array, index, notation, textName);

// The same as LaTeX.
export const latexOf = (spec, array, index, notation = "textbook") =>
  written(spec, array, index, notation, latexName);

// A term by itself: `dL/do11 w13`.
export const termText = (spec, { factors }, notation, name = textName) =>
  factors.map(([of, at]) => name(spec, of, at, notation)).join(" ");

function written(spec, array, index, notation, name) {
  const terms = [...termsOf(spec, array, index)];
  const sum = terms.map((term) => termText(spec, term, notation, name)).join(" + ");
  return `${name(spec, array, index, notation)} = ${sum || "0"}`;
}

// The value of one term, and of one element; `at(array, index)` gives the numbers that are given.
export const termValue = ({ factors }, at) =>
  factors.reduce((value, [array, index]) => value * at(array, index), 1);

export function valueOf(spec, array, index, at) {
  let sum = 0;
  for (const term of termsOf(spec, array, index)) sum += termValue(term, at);
  return sum;
}
