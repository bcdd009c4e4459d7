// The views that follow the pixels of the gradient of x:
//
//   gather    zeros between the dL/do, leftover rows and padding around them; then a correlation of
//             stride 1 with the kernel turned by 180 degrees ("full convolution"); a step a pixel
//   phases    the pixels of each residue of the stride, as small convolutions without zeros; a step
//             a phase
//
// Read on: views.js.

import { axesOf } from "./axis.js";
import { choices, indicesOf } from "./derive.js";
import { TONES } from "./light.js";
import { picture, planeOfX, same, toned } from "./pictures.js";

// The tap that stands at a place of the turned kernel, or at which place a tap stands.
const turned = (kernel, at) => kernel.map((size, axis) => size - 1 - at[axis]);

// What stands at a place along one axis of the output gradients with zeros: one of them, a zero
// `between` two of them, a `leftover` row, or a zero `around` them all.
function kindAlong(axis, place) {
  const last = (axis.out - 1) * axis.stride;
  if (place < 0 || place > last + axis.leftover) return "around";
  if (place > last) return "leftover";
  return place % axis.stride ? "between" : "given";
}

// The shape of the output gradients with zeros, and what stands at each place.
function padded(spec) {
  const axes = axesOf(spec);
  const first = axes.map((axis) => axis.low - axis.reach + 1);
  const at = (places) => {
    const moved = places.map((place, k) => place + first[k]);
    const kinds = axes.map((axis, k) => kindAlong(axis, moved[k]));
    const kind = ["around", "leftover", "between"].find((one) => kinds.includes(one)) ?? "given";
    return { kind, window: axes.map(({ stride }, k) => moved[k] / stride) };
  };
  return { shape: axes.map((axis) => axis.size + axis.reach - 1), at };
}

export function gather(spec, numbers, plane) {
  const { outputs, gy, w, gradient } = planeOfX(spec, numbers, plane);
  const axes = axesOf(spec);
  const order = [...indicesOf(spec.i)];
  const wide = padded(spec);
  // Whether a tap of the kernel lies on a place, when the kernel collects for a pixel.
  const isUnder = (pixel, place) =>
    axes.every(({ dilation, kernel }, k) => {
      const tap = (place[k] - pixel[k]) / dilation;
      return Number.isInteger(tap) && tap >= 0 && tap < kernel;
    });
  const at = (step) => {
    const pixel = step ? order[step - 1] : null;
    const cell = (o) => (place) => {
      const { kind, window } = wide.at(place);
      const number = kind === "given" ? gy(o, window) : 0;
      return { number, kind, tone: toned(pixel && isUnder(pixel, place), 0) };
    };
    const frames = pixel ? [{ tone: 0, from: pixel, size: axes.map(({ reach }) => reach) }] : [];
    const tap = (o) => (at) => ({ number: w(o, turned(spec.k, at)), tone: toned(pixel, 0) });
    const collected = (at) => {
      const place = order.findIndex((other) => same(other, at));
      return { number: place < step ? gradient(at) : null, tone: toned(place === step - 1, 0) };
    };
    return {
      words: pixel && { key: "step", name: ["gx", [...plane, ...pixel]], facts: [gradient(pixel)] },
      pictures: [
        ...outputs.map((o) => picture("gy", wide.shape, cell(o), { title: "padded", frames, o })),
        ...outputs.map((o) => picture("w", spec.k, tap(o), { title: "turned", o, sign: "∗" })),
        picture("gx", spec.i, collected, { sign: "=" }),
      ],
    };
  };
  const zeros = Math.max(...spec.s) - 1;
  const leftover = Math.max(...axes.map((axis) => axis.leftover));
  return { count: order.length, start: { key: "start", facts: [zeros], leftover }, at };
}

// The phases of one axis: which pixels have the residue rho, and which taps meet them.
function phasesAlong({ size, kernel, stride, dilation, low }) {
  const phases = [];
  for (let first = 0; first < Math.min(stride, size); first++) {
    const rho = (((first + low) % stride) + stride) % stride;
    const taps = [];
    for (let u = kernel - 1; u >= 0; u--) if ((u * dilation - rho) % stride === 0) taps.push(u);
    const pixels = [];
    for (let h = first; h < size; h += stride) pixels.push(h);
    phases.push({ rho, taps, pixels });
  }
  return phases.sort((a, b) => a.rho - b.rho);
}

export function phases(spec, numbers, plane) {
  const { outputs, gy, w, gradient } = planeOfX(spec, numbers, plane);
  const order = [...choices(axesOf(spec).map(phasesAlong))];
  const phaseOf = (pixel) =>
    order.findIndex((phase) => phase.every(({ pixels }, k) => pixels.includes(pixel[k])));
  const many = (phase, what) => phase.reduce((count, axis) => count * axis[what].length, 1);
  const given = outputs.map((o) => picture("gy", spec.out, (at) => ({ number: gy(o, at) }), { o }));
  const filled = (step, tone) =>
    picture(
      "gx",
      spec.i,
      (pixel) => {
        const phase = phaseOf(pixel);
        return {
          number: phase < step ? gradient(pixel) : null,
          tone: toned(phase === step - 1, tone),
        };
      },
      { sign: "→" },
    );
  const before = () => {
    const tap = (o) => (at) => ({ number: w(o, turned(spec.k, at)) });
    const kernels = outputs.map((o) =>
      picture("w", spec.k, tap(o), { title: "turned", o, sign: "∗" }),
    );
    return { pictures: [...given, ...kernels, filled(0, null)] };
  };
  const at = (step) => {
    if (step === 0) return before();
    const phase = order[step - 1];
    const tone = (step - 1) % TONES;
    const [taps, pixels] = [many(phase, "taps"), many(phase, "pixels")];
    const name = `(${phase.map(({ rho }) => rho).join(", ")})`;
    const shape = phase.map((axis) => axis.taps.length);
    const tap = (o) => (at) => ({
      number: w(
        o,
        phase.map((axis, k) => axis.taps[at[k]]),
      ),
      tone,
    });
    const kernels = outputs.map((o) =>
      picture("w", shape, tap(o), { title: "taps", o, sign: "∗" }),
    );
    return {
      words: taps
        ? { key: "step", facts: [name, taps, pixels] }
        : { key: "none", facts: [name, pixels] },
      pictures: [...given, ...(taps ? kernels : []), filled(step, tone)],
    };
  };
  return { count: order.length, start: { key: "start", facts: [order.length] }, at };
}
