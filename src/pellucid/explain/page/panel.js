// The equation of the chosen element: its name and value, and its terms as columns, each with its
// factors above and their numbers below. A term that is pointed at lights its cells, and the other
// way round. Read on: pictures.js.

import { coverageAt, reasonAt } from "./axis.js";
import { termText, termValue } from "./derive.js";
import { el, marked } from "./draw.js";
import { maths, mathsName, mathsTerm } from "./maths.js";
import { called, textName } from "./notation.js";
import { shown } from "./numbers.js";

const MOST_TERMS = 60; // of a sum that is written out; far less where nothing is drawn
const FEW_TERMS = 12;

// The words above the equation: what the chosen element is, or why it is 0.
export function wordsFor(spec, { array, index }, count, words) {
  if (array === "gx" || array === "x") {
    const places = index.slice(2);
    const reason = reasonAt(spec, places);
    if (reason) return words.reasons[reason];
    if (array === "gx") {
      return words.words[called(spec, "gx")](coverageAt(spec, places), spec.o / spec.g);
    }
  }
  if (count === 0) return spec.n ? words.outside : words.noImages;
  return words.words[called(spec, array)](count);
}

const column = (tag, attributes, markup, number) =>
  el(
    tag,
    attributes,
    marked("span", { class: "symbol" }, markup),
    el("span", { class: "numbers" }, number),
  );

const operator = (sign) =>
  el("span", { class: "sign", "aria-hidden": "true" }, el("span", {}, sign), el("span", {}, sign));

// A number as a factor: with brackets where it is negative.
const factor = (number) => (number < 0 ? `(${shown(number)})` : shown(number));

// A term as a button; `hover` is called with its number, and with null when it is left.
function drawTerm(term, k, { spec, numbers, notation, words }, hover) {
  const values = term.factors.map(([array, index]) => factor(numbers.at(array, index)));
  const attributes = {
    type: "button",
    class: "term",
    style: `--tone:var(--tone-${term.tone})`,
    "data-term": k,
    "aria-label": words.term(termText(spec, term, notation), values.join(" × ")),
  };
  const markup = maths(mathsTerm(spec, term, notation), "true");
  const button = column("button", attributes, markup, values.join(" · "));
  for (const enter of ["pointerenter", "focus"]) button.addEventListener(enter, () => hover(k));
  for (const exit of ["pointerleave", "blur"]) button.addEventListener(exit, () => hover(null));
  return el("span", { class: "link" }, ...(k ? [operator("+")] : []), button);
}

// Draw the equation; of a long sum the first terms. `value` is null where it is not computed.
export function drawEquation(host, drawn, hover) {
  const { spec, lights, value, notation, words, large } = drawn;
  const { equation, terms, count } = lights;
  const left = maths(mathsName(spec, equation.array, equation.index, notation), "true");
  const known = value === null ? "…" : shown(value);
  const parts = [column("span", { class: "left" }, left, known), operator("=")];
  const most = large ? FEW_TERMS : MOST_TERMS;
  parts.push(...terms.slice(0, most).map((term, k) => drawTerm(term, k, drawn, hover)));
  const more = (text) => parts.push(el("span", { class: "more" }, text));
  if (count === 0) parts.push(column("span", { class: "none" }, maths("<mn>0</mn>"), "0"));
  if (count > terms.length) more(words.tooMany(count));
  else if (count > most) more(`+ ${words.more(count - most)}`);
  host.classList.toggle("flat", called(spec, equation.array) === "y"); // without fractions
  host.replaceChildren(...parts);
}

// The equation as one line of text, for a screen reader; of a long sum the first terms.
export function shortTextOf(spec, { array, index }, terms, notation) {
  const some = terms.slice(0, FEW_TERMS).map((term) => termText(spec, term, notation));
  const rest = terms.length > FEW_TERMS ? ["…"] : [];
  return `${textName(spec, array, index, notation)} = ${[...some, ...rest].join(" + ") || "0"}`;
}

// Emphasise one term and let the others step back.
export function emphasise(host, term) {
  for (const button of host.querySelectorAll(".term")) {
    const own = Number(button.dataset.term) === term;
    button.classList.toggle("strong", own);
    button.classList.toggle("faded", term !== null && !own);
  }
}

export const sumOf = (terms, at) => terms.reduce((sum, term) => sum + termValue(term, at), 0);
