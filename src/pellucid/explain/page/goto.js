// The form that shows an element by its index, which is the way to those that are not drawn.
// Read on: code.js.

import { el } from "./draw.js";
import { arrayName, called } from "./notation.js";

const NAMES = ["gx", "gw", "gb", "y"];

// The letters of the axes of an array: the batch and channels as it is called, and the last ones of
// these.
const LETTERS = { gx: "dhw", gw: "tuv", gb: "", y: "kij" };
const FIRST = { gx: ["n", "c"], gw: ["o", "c"], gb: ["o"], y: ["n", "o"] };

function lettersOf(spec, array) {
  const spatial = [...LETTERS[array]].slice(-spec.axes);
  const first = FIRST[called(spec, array)];
  return [...(spec.transposed && array === "gw" ? [...first].reverse() : first), ...spatial].join(",");
}

export class GoTo {
  // `exists(element)` says whether there is one; `on(element)` is called with one that was asked for.
  constructor(byId, exists, on) {
    Object.assign(this, { byId, exists, on });
    byId("goto").addEventListener("submit", (event) => this.#go(event));
    byId("goto-array").addEventListener("change", () => this.#drawLetters());
  }

  show({ spec, notation, words }) {
    Object.assign(this, { spec, words });
    const list = this.byId("goto-array");
    const chosen = list.value || NAMES[0];
    const options = NAMES.map((name) =>
      el("option", { value: name }, arrayName(spec, called(spec, name), notation)),
    );
    list.replaceChildren(...options);
    list.value = chosen;
    this.#drawLetters();
  }

  // The array that is chosen by its name.
  #array() {
    return called(this.spec, this.byId("goto-array").value);
  }

  #drawLetters() {
    const array = this.#array();
    this.byId("goto-letters").textContent = this.words.goToIndex(lettersOf(this.spec, array));
    this.byId("goto-index").placeholder = this.spec.shapes[array].map(() => 0).join(",");
    this.#complain("");
  }

  #complain(problem) {
    this.byId("goto-index").setAttribute("aria-invalid", String(Boolean(problem)));
    this.byId("goto-problem").textContent = problem;
  }

  #go(event) {
    event.preventDefault();
    const [array, input] = [this.#array(), this.byId("goto-index")];
    const text = input.value.trim() || input.placeholder;
    const element = { array, index: text.split(/[\s,]+/).map(Number) };
    if (this.exists(element)) {
      this.#complain("");
      this.on(element);
    } else {
      const sizes = this.spec.shapes[array].join(",");
      this.#complain(this.words.badIndex(lettersOf(this.spec, array), sizes));
    }
  }
}
