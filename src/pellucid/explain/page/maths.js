// Names and terms as MathML, which browsers set as mathematics and screen readers read aloud.
// Everything here is a string of markup made from letters and whole numbers. Read on: strings.js.

import { baseOf, called, isGradient, letterOf, nameParts } from "./notation.js";

export const maths = (inside, style = "") =>
  `<math${style && ` displaystyle="${style}"`}>${inside}</math>`;

const symbol = (letter) => `<mi>${letter}</mi>`;

function subscript(numbers, commas) {
  const digits = numbers.map((number) => `<mn>${number}</mn>`);
  if (!commas) return `<mn>${numbers.join("")}</mn>`;
  return `<mrow>${digits.join('<mo separator="true">,</mo>')}</mrow>`;
}

// The name of an element: x with 13 below it; of a gradient without its fraction.
export function mathsElement(spec, array, index, notation) {
  const { letter, numbers, commas } = nameParts(spec, array, index, notation);
  if (numbers.length === 0) return symbol(letter);
  return `<msub>${symbol(letter)}${subscript(numbers, commas)}</msub>`;
}

// The name of an element, with the fraction of a gradient.
export function mathsName(spec, array, index, notation) {
  const element = mathsElement(spec, array, index, notation);
  return isGradient(called(spec, array)) ? partial(element) : element;
}

// dL by something, as a fraction.
const partial = (below) =>
  `<mfrac><mrow><mi>∂</mi><mi>L</mi></mrow><mrow><mi>∂</mi>${below}</mrow></mfrac>`;

// The name of an element within a sentence: on one line.
export function mathsInline(spec, array, index, notation) {
  const element = mathsElement(spec, array, index, notation);
  const slash = '<mi>L</mi><mo stretchy="false" lspace="0" rspace="0">/</mo>';
  return isGradient(called(spec, array)) ? `<mi>∂</mi>${slash}<mi>∂</mi>${element}` : element;
}

// The name of a whole array: X, or dL by dX.
export function mathsArray(spec, array, notation) {
  const name = called(spec, array);
  const letter = letterOf(baseOf(name), notation);
  const whole = symbol(letter === "b" ? letter : letter.toUpperCase());
  return isGradient(name) ? partial(whole) : whole;
}

// The factors of a term beside each other.
export const mathsTerm = (spec, { factors }, notation) =>
  factors
    .map(([array, index]) => mathsName(spec, array, index, notation))
    .join('<mspace width="0.25em"/>');
