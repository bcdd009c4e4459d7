// One axis at a time: which taps u of which windows i meet which pixels h. All three are bound by
//
//     h = i s + u d - p
//
// and every gradient on the page is this equation, solved for another letter. Axes do not know of
// each other: a meeting of a convolution is one meeting along each axis. Read on: notation.js.

// The numbers of one axis of a spec.
export function axisOf(spec, axis) {
  const [size, kernel, stride, dilation] = [spec.i, spec.k, spec.s, spec.d].map((all) => all[axis]);
  const [low, high] = spec.p[axis];
  const reach = dilation * (kernel - 1) + 1; // of a window, from its first tap to its last
  const leftover = (size + low + high - reach) % stride; // last rows that no window reaches
  return { size, kernel, stride, dilation, low, high, out: spec.out[axis], reach, leftover };
}

export const axesOf = (spec) => spec.i.map((_, axis) => axisOf(spec, axis));

const pixelOf = ({ stride, dilation, low }, i, u) => i * stride + u * dilation - low;

// For window i: its taps that lie inside of x, u rising.
export function ofWindow(axis, i) {
  const found = [];
  for (let u = 0; u < axis.kernel; u++) {
    const h = pixelOf(axis, i, u);
    if (h >= 0 && h < axis.size) found.push({ i, u, h });
  }
  return found;
}

// For pixel h: the windows that hold it, i rising (so u falls).
export function ofPixel(axis, h) {
  const found = [];
  for (let u = axis.kernel - 1; u >= 0; u--) {
    const start = h + axis.low - u * axis.dilation; // where a window would have to begin
    const i = start / axis.stride;
    if (Number.isInteger(i) && i >= 0 && i < axis.out) found.push({ i, u, h });
  }
  return found;
}

// For tap u: every window in which it lies inside of x, i rising.
export function ofTap(axis, u) {
  const found = [];
  for (let i = 0; i < axis.out; i++) {
    const h = pixelOf(axis, i, u);
    if (h >= 0 && h < axis.size) found.push({ i, u, h });
  }
  return found;
}

// Every window, whatever it meets.
export const everyWindow = (axis) => Array.from({ length: axis.out }, (_, i) => ({ i }));

// Every pixel, whatever holds it.
export const everyPixel = (axis) => Array.from({ length: axis.size }, (_, h) => ({ h }));

// Why no window holds pixel h, or null where one does: `crop` where negative padding cuts it off,
// `leftover` behind the last window, `stride` between two windows, `dilation` between two taps.
export function reasonOf(axis, h) {
  if (ofPixel(axis, h).length > 0) return null;
  const q = h + axis.low; // counted from the first window
  if (q < 0 || h >= axis.size + axis.high) return "crop";
  if (q >= (axis.out - 1) * axis.stride + axis.reach) return "leftover";
  return q % axis.stride >= axis.reach ? "stride" : "dilation";
}

// Why no window holds the pixel at these places: the first axis that rules it out.
export function reasonAt(spec, places) {
  const reasons = axesOf(spec).map((axis, k) => reasonOf(axis, places[k]));
  return reasons.find((reason) => reason !== null) ?? null;
}

// How many windows hold the pixel at these places.
export const coverageAt = (spec, places) =>
  axesOf(spec).reduce((count, axis, k) => count * ofPixel(axis, places[k]).length, 1);
