// The sliders and the one line of text that set the problem; either redraws all. What is impossible
// is said in words, and the picture stays that of the last problem that was possible.
// Read on: heat.js.

import { el } from "./draw.js";
import { formatSpec } from "./spec.js";

// Key of the spec -> the least and the largest number of its slider.
const SLIDERS = {
  i: [1, 12],
  k: [1, 7],
  s: [1, 4],
  p: [0, 3],
  d: [1, 3],
  c: [1, 4],
  o: [1, 4],
  g: [1, 4],
};

// What a slider stands at: the first axis speaks for all.
const numberOf = (spec, key) => (key === "p" ? spec.p[0][0] : [spec[key]].flat()[0]);

// What is written beside it: all axes where they differ.
function textOf(spec, key) {
  const field = formatSpec({ ...spec })
    .split(" ")
    .find((part) => part[0] === key);
  if (!field) return String(numberOf(spec, key));
  const text = field.slice(1);
  return new Set(text.split("x")).size === 1 ? text.split("x")[0] : text.replaceAll("x", " × ");
}

// The parts of a spec with one number changed, along all axes.
function withNumber(spec, key, number) {
  const all = (value) => spec.i.map(() => value);
  const parts = {
    n: spec.n,
    c: spec.c,
    i: spec.i,
    o: spec.o,
    k: spec.k,
    s: spec.s,
    p: spec.p,
    d: spec.d,
    g: spec.g,
  };
  if (key === "p") parts.p = all([number, number]);
  else parts[key] = Array.isArray(spec[key]) ? all(number) : number;
  return parts;
}

export class Controls {
  // `on(text)` is called with the one-line name of the problem that was asked for.
  constructor(byId, on) {
    this.byId = byId;
    this.rows = new Map();
    for (const [key, [least, largest]] of Object.entries(SLIDERS)) {
      const input = el("input", {
        type: "range",
        id: `slider-${key}`,
        min: least,
        max: largest,
        step: 1,
      });
      const name = el("span", { class: "name" });
      const output = el("output", { for: `slider-${key}` });
      const label = el("label", { class: "slider", for: `slider-${key}` }, name, output, input);
      byId("sliders").append(label);
      this.rows.set(key, { input, name, output });
      input.addEventListener("input", () =>
        on(formatSpec(withNumber(this.asked, key, Number(input.value)))),
      );
    }
    byId("controls").addEventListener("submit", (event) => event.preventDefault());
    byId("spec").addEventListener("input", () => on(byId("spec").value, true));
  }

  // Show what was asked for, possible or not, and why it is not.
  show(asked, text, problem, words) {
    this.asked = asked ?? this.asked;
    for (const [key, { input, name, output }] of this.rows) {
      const number = numberOf(this.asked, key);
      input.max = Math.max(SLIDERS[key][1], number);
      input.min = Math.min(SLIDERS[key][0], number);
      input.value = number;
      name.textContent = words.sizes[key];
      output.textContent = textOf(this.asked, key);
      input.setAttribute("aria-valuetext", output.textContent);
    }
    const line = this.byId("spec");
    if (line !== document.activeElement) line.value = text;
    line.setAttribute("aria-invalid", String(Boolean(problem)));
    this.byId("problem").textContent = problem ?? "";
  }
}

// A row of choices, one of which holds; `on(value)` is called with another. They are made once and
// only named anew, so that the focus stays on them.
export function drawChoices(host, values, texts, chosen, on) {
  for (const value of values) {
    const input = host.querySelector(`input[value="${value}"]`) ?? addChoice(host, value, on);
    input.checked = value === chosen;
    input.nextElementSibling.textContent = texts[value];
  }
}

function addChoice(host, value, on) {
  const input = el("input", { type: "radio", name: host.id, value });
  input.addEventListener("change", () => on(value));
  host.append(el("label", {}, input, el("span")));
  return input;
}
