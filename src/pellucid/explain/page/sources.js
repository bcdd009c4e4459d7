// What can be taken along: the equation as LaTeX, and Python code, each with a button that copies it.
// Read on: address.js.

import { pellucidCode, torchCode } from "./code.js";
import { countTerms, latexOf } from "./derive.js";
import { el } from "./draw.js";

const MOST_TERMS = 2000; // of an equation that is written as LaTeX
const MILLISECONDS = 2500; // for which it is said that something was copied

function latex({ spec, equation, notation, words }) {
  const { array, index } = equation;
  const count = countTerms(spec, array, index);
  return count > MOST_TERMS ? words.tooMany(count) : latexOf(spec, array, index, notation);
}

export class Sources {
  // `said` is where it is said that something was copied.
  constructor(host, said) {
    this.host = host;
    this.said = said;
  }

  show(shown) {
    this.words = shown.words;
    this.texts = { latex: latex(shown), torch: torchCode(shown), pellucid: pellucidCode(shown) };
    const titles = { latex: "LaTeX", torch: "PyTorch", pellucid: "pellucid" };
    this.host.replaceChildren(
      ...Object.keys(titles).map((name) => this.#figure(name, titles[name])),
    );
  }

  #figure(name, title) {
    const { words } = this;
    const button = el(
      "button",
      { type: "button", class: "quiet", "aria-label": words.copyNamed[name], "data-copy": name },
      words.copy,
    );
    button.addEventListener("click", () => this.copy(name));
    const text = el(
      "pre",
      { tabindex: "0", role: "region", "aria-label": title },
      el("code", {}, this.texts[name]),
    );
    return el("figure", { class: `source is-${name}` }, el("figcaption", {}, title, button), text);
  }

  async copy(name) {
    let done = true;
    try {
      await navigator.clipboard.writeText(this.texts[name]);
    } catch {
      done = false;
    }
    this.said.textContent = done ? this.words.copied : this.words.copyFailed;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.said.textContent = "";
    }, MILLISECONDS);
  }
}
