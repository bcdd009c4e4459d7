// What lights up when an element is chosen: the factors of its terms, each in the colour of the
// output that the term comes from, and the windows of these outputs. Read on: maths.js.

import { axesOf } from "./axis.js";
import { countTerms, termsOf } from "./derive.js";
import { called } from "./notation.js";
import { product } from "./spec.js";

export const TONES = 6; // colours, in page.css
const FRAMES = 4; // more windows than these would hide what they frame
const MOST_TERMS = 100_000; // of a sum that is computed here

// The equation that is shown for an array: of what is given, that which it has a part in.
const EQUATION = { x: "gx", w: "gw", b: "gb", gy: "y", y: "y", gx: "gx", gw: "gw", gb: "gb" };
const OPPOSITE = { x: "gx", w: "gw", b: "gb", y: "gy", gx: "x", gw: "w", gb: "b", gy: "y" };
const FRAMED = { x: "x", w: "x", y: "x", gw: "x", gx: "gx", gy: "gx" };

// Where there are few windows, each has its own colour; else they are told apart within a sum.
export function toneOf(spec, window, rank) {
  const shape = spec.shapes.y;
  if (!window || product(shape) > TONES) return rank % TONES;
  return window.reduce((place, at, axis) => place * shape[axis] + at, 0);
}

function framesOf(spec, chosen, terms) {
  const array = FRAMED[chosen.array];
  if (!array || spec.axes === 3) return [];
  const frames = new Map();
  const framed = terms.filter(({ window }) => window);
  for (const { window, tone, factors } of framed) {
    const plane = pixelPlane(chosen, factors, window);
    if (plane) frames.set(`${plane}/${window}`, { array, plane, window, tone });
  }
  if (new Set(framed.map(({ window }) => String(window))).size > FRAMES) return [];
  return [...frames.values()].map(({ window, ...frame }) => ({
    ...frame,
    from: axesOf(spec).map((axis, k) => window[2 + k] * axis.stride - axis.low),
    size: axesOf(spec).map(({ reach }) => reach),
  }));
}

// The image and channel of the pixel in a term: that of its factor x, or the one that was chosen.
function pixelPlane(chosen, factors, window) {
  const x = factors.find(([array]) => array === "x");
  if (x) return x[1].slice(0, 2);
  return ["x", "gx"].includes(chosen.array) ? [window[0], chosen.index[1]] : null;
}

// Return the equation of an element, its terms with their colours, the cells to light, and frames.
export function lightsOf(spec, chosen) {
  const equation = { array: EQUATION[chosen.array], index: chosen.index };
  const count = countTerms(spec, equation.array, equation.index);
  const terms = [];
  if (count <= MOST_TERMS) {
    let rank = 0;
    for (const term of termsOf(spec, equation.array, equation.index)) {
      terms.push({ ...term, tone: toneOf(spec, term.window, rank) });
      rank += 1;
    }
  }
  const cells = terms.flatMap(({ factors, tone, ...met }, term) => {
    const lit = factors.map(([array, index]) => ({ array, index, tone, term }));
    return [...lit, ...goesInto(spec, chosen, met).map((cell) => ({ ...cell, tone, term }))];
  });
  const opposite = { array: OPPOSITE[chosen.array], index: chosen.index };
  return { chosen, equation, count, terms, cells, frames: framesOf(spec, chosen, terms), opposite };
}

// Where what is given goes: x, w and b into outputs, a gradient of an output into that of x.
function goesInto(spec, chosen, { window, pixel }) {
  const given = called(spec, chosen.array);
  const ends = { y: window, gx: pixel };
  const array = { x: "y", w: "y", b: "y", gy: "gx" }[given];
  if (!array) return [];
  const index = ends[called(spec, array)];
  return index ? [{ array: called(spec, array), index }] : [];
}
