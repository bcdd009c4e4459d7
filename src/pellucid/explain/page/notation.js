// The names of elements: x13 and dL/do11 as in a textbook, or x[0,0,0,2] and dL/dy[0,0,0,0].
//
// Textbook: counted from 1; axes of size 1 among batch and channels are dropped, spatial axes stay.
// Digits run together while no size of the problem exceeds 9, else there are brackets and commas.
// Indices: counted from 0, all of them. pellucid.explain writes the same names, to the letter.
// Read on: derive.js.

// The arrays that x and y exchange in a transposed convolution.
const EXCHANGED = { x: "gy", gy: "x", y: "gx", gx: "y" };

// What an array of a problem is called, and which one is called so.
export const called = ({ transposed }, array) => (transposed && EXCHANGED[array]) || array;

const GIVEN = { gx: "x", gw: "w", gb: "b", gy: "y" };

// The array whose gradient this is, or the array itself.
export const baseOf = (array) => GIVEN[array] ?? array;
export const isGradient = (array) => array in GIVEN;

// The letter of an array of values, in this notation.
export const letterOf = (array, notation) =>
  array === "y" && notation === "textbook" ? "o" : array;

// The name of a whole array: X, or dL/dX.
export function arrayName(spec, array, notation) {
  const name = called(spec, array);
  const letter = letterOf(baseOf(name), notation);
  return (isGradient(name) ? "dL/d" : "") + (letter === "b" ? letter : letter.toUpperCase());
}

const needsCommas = (spec) =>
  Object.values(spec.shapes).some((shape) => shape.some((size) => size > 9));

// The parts of a name: the letter, the numbers behind it, and whether commas part them.
export function nameParts(spec, array, index, notation) {
  const base = baseOf(called(spec, array));
  const letter = letterOf(base, notation);
  if (notation === "indices") return { letter, numbers: [...index], commas: true };
  const channels = base === "b" ? 1 : 2; // how many of the axes come before the spatial ones
  const kept = index.filter((_, axis) => axis >= channels || spec.shapes[array][axis] !== 1);
  return { letter, numbers: kept.map((number) => number + 1), commas: needsCommas(spec) };
}

// The name of an element without the dL/d of a gradient.
export function elementName(spec, array, index, notation) {
  const { letter, numbers, commas } = nameParts(spec, array, index, notation);
  if (numbers.length === 0) return letter;
  return letter + (commas ? `[${numbers.join(",")}]` : numbers.join(""));
}

export function textName(spec, array, index, notation) {
  const name = elementName(spec, array, index, notation);
  return isGradient(called(spec, array)) ? `dL/d${name}` : name;
}

export function latexName(spec, array, index, notation) {
  const { letter, numbers, commas } = nameParts(spec, array, index, notation);
  const name = numbers.length ? `${letter}_{${numbers.join(commas ? "," : "")}}` : letter;
  return isGradient(called(spec, array)) ? `\\frac{\\partial L}{\\partial ${name}}` : name;
}
