// The views that follow the outputs, one step for each:
//
//   scatter   each dL/do spreads the kernel over its window, and all are added; nothing is flipped
//   windows   each dL/do returns its window of x, and all are added into the gradient of w
//
// Read on: collect.js.

import { axesOf, ofTap } from "./axis.js";
import { choices, inGroup, indicesOf } from "./derive.js";
import { toneOf } from "./light.js";
import { frameOf, picture, planeOfX, same, tapOn, toned } from "./pictures.js";

export function scatter(spec, numbers, plane) {
  const { outputs, gy, w } = planeOfX(spec, numbers, plane);
  const order = [...choices([outputs, [...indicesOf(spec.out)]])];
  const part = ([o, window], pixel) => {
    const tap = tapOn(spec, window, pixel);
    return tap ? gy(o, window) * w(o, tap) : 0;
  };
  const partial = (pixel, step) =>
    order.slice(0, step).reduce((sum, output) => sum + part(output, pixel), 0);
  const before = () => ({
    pictures: [
      picture("gy", spec.out, (at) => ({ number: gy(outputs[0], at) })),
      picture("w", spec.k, (tap) => ({ number: w(outputs[0], tap) }), { sign: "·" }),
      picture("gx", spec.i, () => ({ number: 0 }), { sign: "→" }),
    ],
  });
  const at = (step) => {
    if (step === 0) return before();
    const [o, window] = order[step - 1];
    const place = [plane[0], o, ...window];
    const tone = toneOf(spec, place, step - 1);
    const scale = gy(o, window);
    const lit = (pixel) => tapOn(spec, window, pixel) !== null;
    return {
      words: { key: "step", name: ["gy", place], facts: [scale] },
      pictures: [
        picture("gy", spec.out, (at) => ({
          number: gy(o, at),
          tone: toned(same(at, window), tone),
        })),
        picture("w", spec.k, (tap) => ({ number: scale * w(o, tap), tone }), {
          title: "products",
          sign: "·",
        }),
        picture(
          "gx",
          spec.i,
          (pixel) => ({ number: partial(pixel, step), tone: toned(lit(pixel), tone) }),
          { frames: [frameOf(spec, window, tone)], sign: "→" },
        ),
      ],
    };
  };
  return { count: order.length, start: { key: "start", facts: [] }, at };
}

export function windows(spec, numbers, [o, within]) {
  const c = inGroup(spec, o, spec.o, spec.c)[within];
  const images = Array.from({ length: spec.n }, (_, n) => n);
  const order = [...choices([images, [...indicesOf(spec.out)]])];
  const gy = (n, window) => numbers("gy", [n, o, ...window]);
  const x = (n, pixel) => numbers("x", [n, c, ...pixel]);
  // The pixel under a tap of a window, where it lies inside of x.
  const under = (window, tap) => {
    const found = axesOf(spec).map((axis, k) =>
      ofTap(axis, tap[k]).find(({ i }) => i === window[k]),
    );
    return found.every(Boolean) ? found.map(({ h }) => h) : null;
  };
  const part = ([n, window], tap) => {
    const pixel = under(window, tap);
    return pixel ? gy(n, window) * x(n, pixel) : 0;
  };
  const partial = (tap, step) =>
    order.slice(0, step).reduce((sum, output) => sum + part(output, tap), 0);
  const before = () => ({
    pictures: [
      picture("gy", spec.out, (at) => ({ number: gy(0, at) })),
      picture("x", spec.i, (pixel) => ({ number: x(0, pixel) }), { sign: "·" }),
      picture("gw", spec.k, () => ({ number: 0 }), { sign: "→" }),
    ],
  });
  const at = (step) => {
    if (step === 0) return before();
    const [n, window] = order[step - 1];
    const place = [n, o, ...window];
    const tone = toneOf(spec, place, step - 1);
    const lit = (pixel) => tapOn(spec, window, pixel) !== null;
    return {
      words: { key: "step", name: ["gy", place], facts: [gy(n, window)] },
      pictures: [
        picture("gy", spec.out, (at) => ({
          number: gy(n, at),
          tone: toned(same(at, window), tone),
        })),
        picture("x", spec.i, (pixel) => ({ number: x(n, pixel), tone: toned(lit(pixel), tone) }), {
          frames: [frameOf(spec, window, tone)],
          sign: "·",
        }),
        picture("x", spec.k, (tap) => ({ number: part(order[step - 1], tap), tone }), {
          title: "products",
          sign: "=",
        }),
        picture("gw", spec.k, (tap) => ({ number: partial(tap, step), tone }), { sign: "→" }),
      ],
    };
  };
  const along = (numbers) => (new Set(numbers).size === 1 ? numbers[0] : numbers.join(" × "));
  const facts = [along(spec.s), along(spec.d)];
  return { count: order.length, start: { key: "start", facts }, at };
}
