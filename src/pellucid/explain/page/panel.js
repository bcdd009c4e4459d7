// The equation of the chosen element: its name and value, and its terms as columns, each with its
// factors above and their numbers below. A term that is pointed at lights its cells, and the other
// way round. Read on: pictures.js.

import { coverageAt, reasonAt } from "./axis.js";
import { termValue } from "./derive.js";
import { el, marked } from "./draw.js";
import { maths, mathsName, mathsTerm } from "./maths.js";
import { textName } from "./notation.js";
import { shown } from "./numbers.js";

const MOST_TERMS = 60; // of a sum that is written out; far less where nothing is drawn
const FEW_TERMS = 12;

// The words above the equation: what the chosen element is, or why it is 0.
export function wordsFor(spec, { array, index }, count, words) {
  if (array === "gx" || array === "x") {
    const places = index.slice(2);
    const reason = reasonAt(spec, places);
    if (reason) return words.reasons[reason];
    if (array === "gx") return words.words.gx(coverageAt(spec, places), spec.o / spec.g);
  }
  if (count === 0) return spec.n ? words.outside : words.noImages;
  return words.words[array](count);
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

// Draw the equation; `on` has hover(term or null) and pick(term).
export function drawEquation(host, { spec, lights, numbers, value, notation, words, large }, on) {
  const { equation, terms, count } = lights;
  const left = mathsName(spec, equation.array, equation.index, notation);
  const known = value === null ? "…" : shown(value);
  const parts = [column("span", { class: "left" }, maths(left, "true"), known), operator("=")];
  const most = large ? FEW_TERMS : MOST_TERMS;
  terms.slice(0, most).forEach((term, k) => {
    const figures = term.factors
      .map(([array, index]) => factor(numbers.at(array, index)))
      .join(" · ");
    const text = term.factors
      .map(([array, index]) => textName(spec, array, index, notation))
      .join(" ");
    const button = column(
      "button",
      {
        type: "button",
        class: "term",
        style: `--tone:var(--tone-${term.tone})`,
        "data-term": k,
        "aria-label": words.term(text, figures.replaceAll("·", "×")),
      },
      maths(mathsTerm(spec, term, notation), "true"),
      figures,
    );
    button.addEventListener("pointerenter", () => on.hover(k));
    button.addEventListener("pointerleave", () => on.hover(null));
    button.addEventListener("focus", () => on.hover(k));
    button.addEventListener("blur", () => on.hover(null));
    const link = el("span", { class: "link" }, ...(k ? [operator("+")] : []), button);
    parts.push(link);
  });
  if (count === 0) parts.push(column("span", { class: "none" }, maths("<mn>0</mn>"), "0"));
  if (count > terms.length) parts.push(el("span", { class: "more" }, words.tooMany(count)));
  else if (count > most) parts.push(el("span", { class: "more" }, `+ ${words.more(count - most)}`));
  host.replaceChildren(...parts);
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
