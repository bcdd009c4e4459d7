// What the views are made of: a picture is an array of numbers with colours, and frames over windows.
// A view shows one plane of a gradient: one image n and channel c, or one filter o and channel c.
// Read on: spread.js.

import { axesOf, ofPixel } from "./axis.js";
import { inGroup, valueOf } from "./derive.js";

// A picture: `at(place)` gives { number, tone, kind }; `more` has a title, a sign before it, frames.
export const picture = (array, shape, at, more = {}) => ({ array, shape, at, ...more });

// The colour of a place that is lit, or null.
export const toned = (lit, tone) => (lit ? tone : null);

export const same = (a, b) => String(a) === String(b);

// The tap of a window that lies on a pixel, or null.
export function tapOn(spec, window, pixel) {
  const meetings = axesOf(spec).map((axis, k) =>
    ofPixel(axis, pixel[k]).find(({ i }) => i === window[k]),
  );
  return meetings.every(Boolean) ? meetings.map(({ u }) => u) : null;
}

// The frame around the pixels of a window.
export const frameOf = (spec, window, tone) => ({
  tone,
  from: axesOf(spec).map((axis, k) => window[k] * axis.stride - axis.low),
  size: axesOf(spec).map(({ reach }) => reach),
});

// What the views of the gradient of x share: the outputs of the plane, and numbers by o and place; of
// the output of a transposed convolution without b.
export function planeOfX(spec, numbers, [n, c]) {
  const within = c % (spec.c / spec.g);
  const products = (array, index) => (array === "b" ? 0 : numbers(array, index));
  return {
    outputs: inGroup(spec, c, spec.c, spec.o),
    gradient: (pixel) => valueOf(spec, "gx", [n, c, ...pixel], products),
    gy: (o, window) => numbers("gy", [n, o, ...window]),
    w: (o, tap) => numbers("w", [o, within, ...tap]),
  };
}
