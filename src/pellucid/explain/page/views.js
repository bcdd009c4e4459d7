// The gradients as procedures, step by step. Each view says how many steps it has, and what its
// pictures hold after any of them:
//
//   scatter   each dL/do spreads the kernel over its window, and all are added; nothing is flipped
//   gather    zeros between the dL/do, leftover rows, padding; then a correlation of stride 1 with
//             the kernel turned by 180 degrees ("full convolution")
//   phases    the pixels of each residue of the stride, as small convolutions without zeros
//   weight    each dL/do returns its window of x, and all are added into the gradient of w
//
// A view shows one plane of a gradient: one image n and channel c, or one filter o and channel c.
// All four end with the same numbers as derive.js, which a test holds. Read on: player.js.

import { axesOf, ofPixel, ofTap } from "./axis.js";
import { choices, inGroup, indicesOf, valueOf } from "./derive.js";

export const VIEWS = ["scatter", "gather", "phases", "weight"];

const flip = (kernel, at) => kernel.map((size, axis) => size - 1 - at[axis]);
const same = (a, b) => String(a) === String(b);
const range = (count) => Array.from({ length: count }, (_, k) => k);

// Where a window meets an array: the tap of each axis that lies on this pixel, or null.
function tapsAt(spec, window, pixel) {
  const taps = axesOf(spec).map((axis, k) =>
    ofPixel(axis, pixel[k]).find(({ i }) => i === window[k]),
  );
  return taps.every(Boolean) ? taps.map(({ u }) => u) : null;
}

// A picture of one array: its shape, and what stands at each place.
const picture = (array, shape, at, more = {}) => ({ array, shape, at, ...more });

// The pixels that a window covers, as a frame: where it begins and how far it reaches.
const frameOf = (spec, window, tone) => ({
  tone,
  from: axesOf(spec).map((axis, k) => window[k] * axis.stride - axis.low),
  size: axesOf(spec).map(({ reach }) => reach),
});

// What the views of the gradient of x share: the plane, its outputs, and the numbers in it.
function planeOfX(spec, numbers, [n, c]) {
  const outputs = inGroup(spec, c, spec.c, spec.o);
  const within = c % (spec.c / spec.g);
  return {
    outputs,
    gradient: (pixel) => valueOf(spec, "gx", [n, c, ...pixel], numbers),
    gy: (o, window) => numbers("gy", [n, o, ...window]),
    w: (o, tap) => numbers("w", [o, within, ...tap]),
    indexOfY: (o, window) => [n, o, ...window],
  };
}

function scatter(spec, numbers, plane) {
  const { outputs, gy, w, indexOfY } = planeOfX(spec, numbers, plane);
  const order = [...choices([outputs, [...indicesOf(spec.out)]])];
  const partial = (pixel, steps) =>
    order.slice(0, steps).reduce((sum, [o, window]) => {
      const tap = tapsAt(spec, window, pixel);
      return tap ? sum + gy(o, window) * w(o, tap) : sum;
    }, 0);
  return {
    count: order.length,
    start: { key: "start", facts: [] },
    at(step) {
      const [o, window] = step ? order[step - 1] : [outputs[0], null];
      const lit = (places) => window !== null && same(places, window);
      const place = window && indexOfY(o, window);
      return {
        words: window && { key: "step", name: ["gy", place], facts: [gy(o, window)] },
        pictures: [
          picture("gy", spec.out, (at) => ({ number: gy(o, at), tone: lit(at) ? 0 : null })),
          picture(
            "w",
            spec.k,
            (tap) =>
              window ? { number: gy(o, window) * w(o, tap), tone: 0 } : { number: w(o, tap) },
            {
              title: window ? "products" : null,
              sign: "·",
            },
          ),
          picture(
            "gx",
            spec.i,
            (pixel) => ({
              number: partial(pixel, step),
              tone: window && tapsAt(spec, window, pixel) ? 0 : null,
            }),
            { frames: window ? [frameOf(spec, window, 0)] : [], sign: "→" },
          ),
        ],
      };
    },
  };
}

// What stands at each place of the output gradients with zeros inserted, leftover rows and padding.
export function padded(spec) {
  const axes = axesOf(spec);
  const shape = axes.map((axis) => axis.size + axis.dilation * (axis.kernel - 1));
  const first = axes.map((axis) => axis.low - axis.dilation * (axis.kernel - 1));
  const kindAlong = (axis, place) => {
    const last = (axis.out - 1) * axis.stride;
    if (place < 0 || place > last + axis.leftover) return "around";
    if (place > last) return "leftover";
    return place % axis.stride ? "between" : "given";
  };
  const at = (places) => {
    const kinds = axes.map((axis, k) => kindAlong(axis, places[k] + first[k]));
    const kind = ["around", "leftover", "between"].find((worse) => kinds.includes(worse));
    const window = axes.map((axis, k) => (places[k] + first[k]) / axis.stride);
    return { kind: kind ?? "given", window };
  };
  return { shape, at };
}

function gather(spec, numbers, plane) {
  const { outputs, gy, w, gradient } = planeOfX(spec, numbers, plane);
  const order = [...indicesOf(spec.i)];
  const wide = padded(spec);
  const axes = axesOf(spec);
  const tapOver = (pixel, places) => {
    const taps = axes.map((axis, k) => (places[k] - pixel[k]) / axis.dilation);
    const inside = taps.every((tap, k) => Number.isInteger(tap) && tap >= 0 && tap < spec.k[k]);
    return inside ? flip(spec.k, taps) : null;
  };
  const zeros = Math.max(...spec.s) - 1;
  const rows = Math.max(...axes.map(({ leftover }) => leftover));
  return {
    count: order.length,
    start: { key: "start", facts: [zeros], leftover: rows },
    at(step) {
      const pixel = step ? order[step - 1] : null;
      const cell = (o) => (places) => {
        const { kind, window } = wide.at(places);
        const number = kind === "given" ? gy(o, window) : 0;
        return { number, kind, tone: pixel && tapOver(pixel, places) ? 0 : null };
      };
      const frames = pixel ? [{ tone: 0, from: pixel, size: axes.map(({ reach }) => reach) }] : [];
      return {
        words: pixel && {
          key: "step",
          name: ["gx", [...plane, ...pixel]],
          facts: [gradient(pixel)],
        },
        pictures: [
          ...outputs.map((o) => picture("gy", wide.shape, cell(o), { title: "padded", frames, o })),
          ...outputs.map((o) =>
            picture(
              "w",
              spec.k,
              (tap) => ({ number: w(o, flip(spec.k, tap)), tone: pixel ? 0 : null }),
              { title: "turned", o, sign: "∗" },
            ),
          ),
          picture(
            "gx",
            spec.i,
            (at) => {
              const place = order.findIndex((other) => same(other, at));
              return {
                number: place < step ? gradient(at) : null,
                tone: place === step - 1 ? 0 : null,
              };
            },
            { sign: "=" },
          ),
        ],
      };
    },
    stepOf: (pixel) => order.findIndex((other) => same(other, pixel)) + 1,
  };
}

// The phases of one axis: which pixels have residue rho, and which taps meet them.
function phasesAlong(axis) {
  const phases = range(Math.min(axis.stride, axis.size)).map((first) => {
    const rho = (((first + axis.low) % axis.stride) + axis.stride) % axis.stride;
    const taps = range(axis.kernel).filter((u) => (u * axis.dilation - rho) % axis.stride === 0);
    const pixels = range(axis.size).filter((h) => h % axis.stride === first);
    return { rho, taps, pixels };
  });
  return phases.sort((a, b) => a.rho - b.rho);
}

function phases(spec, numbers, plane) {
  const { outputs, gy, w, gradient } = planeOfX(spec, numbers, plane);
  const order = [...choices(axesOf(spec).map(phasesAlong))];
  const inPhase = (phase, pixel) => phase.every(({ pixels }, k) => pixels.includes(pixel[k]));
  return {
    count: order.length,
    start: { key: "start", facts: [order.length] },
    at(step) {
      const phase = step ? order[step - 1] : null;
      const taps = phase && [...choices(phase.map((axis) => [...axis.taps].reverse()))];
      const name = phase && `(${phase.map(({ rho }) => rho).join(", ")})`;
      const pixels = phase && phase.reduce((count, axis) => count * axis.pixels.length, 1);
      const shape = phase ? phase.map((axis) => axis.taps.length) : spec.k;
      const tapAt = (at) =>
        phase ? phase.map((axis, k) => axis.taps[axis.taps.length - 1 - at[k]]) : flip(spec.k, at);
      return {
        words:
          phase &&
          (taps.length
            ? { key: "step", facts: [name, taps.length, pixels] }
            : { key: "none", facts: [name, pixels] }),
        pictures: [
          ...outputs.map((o) => picture("gy", spec.out, (at) => ({ number: gy(o, at) }), { o })),
          ...(phase && !taps.length
            ? []
            : outputs.map((o) =>
                picture(
                  "w",
                  shape,
                  (at) => ({ number: w(o, tapAt(at)), tone: phase ? (step - 1) % 6 : null }),
                  { title: phase ? "taps" : "turned", o, sign: "∗" },
                ),
              )),
          picture(
            "gx",
            spec.i,
            (pixel) => {
              const done = order.findIndex((other) => inPhase(other, pixel));
              return {
                number: done < step ? gradient(pixel) : null,
                tone: done === step - 1 ? (step - 1) % 6 : null,
              };
            },
            { sign: "→" },
          ),
        ],
      };
    },
  };
}

function weight(spec, numbers, [o, within]) {
  const c = inGroup(spec, o, spec.o, spec.c)[within];
  const order = [...choices([range(spec.n), [...indicesOf(spec.out)]])];
  const gy = (n, window) => numbers("gy", [n, o, ...window]);
  const x = (n, pixel) => numbers("x", [n, c, ...pixel]);
  // The pixel under a tap in a window, where it lies inside of x.
  const under = (window, tap) => {
    const found = axesOf(spec).map((axis, k) =>
      ofTap(axis, tap[k]).find(({ i }) => i === window[k]),
    );
    return found.every(Boolean) ? found.map(({ h }) => h) : null;
  };
  const part = (n, window, tap) => {
    const pixel = under(window, tap);
    return pixel ? gy(n, window) * x(n, pixel) : 0;
  };
  return {
    count: order.length,
    start: { key: "start", facts: [] },
    at(step) {
      const [n, window] = step ? order[step - 1] : [0, null];
      const partial = (tap) =>
        order.slice(0, step).reduce((sum, [m, at]) => sum + part(m, at, tap), 0);
      return {
        words: window && { key: "step", name: ["gy", [n, o, ...window]], facts: [gy(n, window)] },
        pictures: [
          picture("gy", spec.out, (at) => ({
            number: gy(n, at),
            tone: window && same(at, window) ? 0 : null,
          })),
          picture(
            "x",
            spec.i,
            (pixel) => ({
              number: x(n, pixel),
              tone: window && tapsAt(spec, window, pixel) ? 0 : null,
            }),
            { frames: window ? [frameOf(spec, window, 0)] : [], sign: "·" },
          ),
          ...(window
            ? [
                picture("x", spec.k, (tap) => ({ number: part(n, window, tap), tone: 0 }), {
                  title: "products",
                  sign: "=",
                }),
              ]
            : []),
          picture("gw", spec.k, (tap) => ({ number: partial(tap), tone: window ? 0 : null }), {
            sign: "→",
          }),
        ],
      };
    },
  };
}

const MAKE = { scatter, gather, phases, weight };

// Return a view of one plane; `numbers(array, index)` gives what is given.
export const viewOf = (name, spec, numbers, plane) => MAKE[name](spec, numbers, plane);
