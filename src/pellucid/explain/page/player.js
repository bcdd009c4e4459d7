// The step-through player of the views: tabs, pictures, and buttons to go forward and back. It never
// starts by itself; with reduced motion asked for, nothing moves between steps. Read on: controls.js.

import { drawFrames, drawPlane, el, fitClass, inPlane, marked, planeShape } from "./draw.js";
import { indicesOf } from "./derive.js";
import { maths, mathsArray, mathsInline } from "./maths.js";
import { arrayName } from "./notation.js";
import { shown } from "./numbers.js";
import { planeName } from "./stage.js";
import { VIEWS, viewOf } from "./views.js";

const MILLISECONDS = 1100; // between two steps
const [LARGEST_CELL, LEAST_CELL, SIGN] = [40, 20, 40]; // pixels

export class Player {
  // `on(view)` is called with the view that was asked for.
  constructor(byId, on) {
    Object.assign(this, { byId, on, step: 0 });
    byId("tabs").addEventListener("keydown", (event) => this.#tabKey(event));
    byId("restart").addEventListener("click", () => this.#go(0));
    byId("previous").addEventListener("click", () => this.#go(this.step - 1));
    byId("next").addEventListener("click", () => this.#go(this.step + 1));
    byId("play").addEventListener("click", () => (this.timer ? this.#halt() : this.#play()));
    byId("seek").addEventListener("input", (event) => this.#go(Number(event.target.value)));
  }

  // Show a problem; the plane is that of the chosen element, and gathering begins at its pixel.
  show({ spec, numbers, notation, words, chosen, view: name }) {
    const changed = this.spec !== spec || this.name !== name;
    Object.assign(this, { spec, numbers, notation, words, chosen, name });
    if (changed) {
      this.#halt();
      this.step = 0;
    }
    this.#drawTabs();
    this.#load();
  }

  #load() {
    const { index, array } = this.chosen;
    const wanted = this.name === "windows" ? ["w", "gw"] : ["x", "gx"];
    this.plane = wanted.includes(array) ? index.slice(0, 2) : [0, 0];
    const at = (of, place) => this.numbers.at(of, place);
    this.view = viewOf(this.name, this.spec, at, this.plane);
    this.step = Math.min(this.step, this.view.count);
    this.#draw();
  }

  #drawTabs() {
    const tabs = VIEWS.map((name) => {
      const own = name === this.name;
      const tab = el(
        "button",
        {
          type: "button",
          role: "tab",
          id: `tab-${name}`,
          "aria-selected": String(own),
          "aria-controls": "view",
          tabindex: own ? "0" : "-1",
        },
        this.words.tabs[name],
      );
      tab.addEventListener("click", () => this.#open(name));
      return tab;
    });
    this.byId("tabs").replaceChildren(...tabs);
    this.byId("view").setAttribute("aria-labelledby", `tab-${this.name}`);
  }

  #open(name) {
    this.on(name);
    this.byId(`tab-${name}`).focus({ preventScroll: true });
  }

  #tabKey(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    this.#open(VIEWS[(VIEWS.indexOf(this.name) + by + VIEWS.length) % VIEWS.length]);
  }

  #go(step) {
    this.#halt();
    this.#move(step);
  }

  #move(step) {
    this.step = Math.max(0, Math.min(step, this.view.count));
    this.#draw();
  }

  #play() {
    if (this.step >= this.view.count) this.#move(0);
    this.timer = setInterval(() => {
      this.#move(this.step + 1);
      if (this.step >= this.view.count) this.#halt();
    }, MILLISECONDS);
    this.#drawButtons();
  }

  #halt() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.view) this.#drawButtons();
  }

  #draw() {
    const { pictures, words } = this.view.at(this.step);
    const host = this.byId("pictures");
    host.replaceChildren(...pictures.map((one) => this.#step(one)));
    this.#fit(host, pictures);
    this.byId("step-words").innerHTML = this.#wordsOf(words ?? this.view.start);
    this.#drawButtons();
  }

  #wordsOf({ key, name, facts, leftover }) {
    const say = this.words.views[this.name];
    const names = name ? [maths(mathsInline(this.spec, name[0], name[1], this.notation))] : [];
    const rest = leftover === undefined ? [] : [leftover ? say.leftover(leftover) : ""];
    const told = facts.map((fact) =>
      typeof fact === "number" && key === "step" ? shown(fact) : fact,
    );
    const sentence = typeof say[key] === "string" ? say[key] : say[key](...names, ...told, ...rest);
    const array = this.name === "windows" ? "gw" : "gx";
    const plane = planeName(this.spec, array, this.plane, this.notation, this.words);
    return plane && !this.step ? `${sentence} ${this.words.plane(plane)}` : sentence;
  }

  #drawButtons() {
    const { words, view, step } = this;
    const disable = (id, wanted) => {
      this.byId(id).disabled = wanted;
    };
    disable("restart", step === 0);
    disable("previous", step === 0);
    disable("next", step === view.count);
    this.byId("play").setAttribute("aria-label", this.timer ? words.pause : words.play);
    this.byId("play").classList.toggle("playing", Boolean(this.timer));
    const seek = this.byId("seek");
    seek.max = view.count;
    seek.value = step;
    seek.setAttribute("aria-label", words.step(step, view.count));
    this.byId("step-count").textContent = `${step} / ${view.count}`;
  }

  // A picture, and the sign before it.
  #step(one) {
    const picture = this.#picture(one);
    if (!one.sign) return picture;
    const sign = el("span", { class: "sign-between", "aria-hidden": "true" }, one.sign);
    return el("div", { class: "step" }, sign, picture);
  }

  #picture({ array, shape, at, title, frames = [], o }) {
    const [rows, columns] = planeShape(shape);
    const axes = Math.min(shape.length, 2);
    const outer = shape.slice(0, shape.length - axes);
    const planes = [...indicesOf(outer)].map((prefix) => {
      const cell = (row, column) => staticCell(at([...prefix, ...inPlane(axes, row, column)]));
      const plane = drawPlane({ rows, columns, cell });
      if (!outer.length) drawFrames(plane, frames);
      return plane;
    });
    const symbol = marked("span", { class: "symbol" }, maths(mathsArray(this.spec, array, this.notation)));
    const note = [title && this.words.pictures[title], this.#filterName(o)]
      .filter(Boolean)
      .join(" · ");
    const caption = el(
      "div",
      { class: "caption" },
      symbol,
      ...(note ? [el("span", { class: "what" }, note)] : []),
    );
    const label = [arrayName(this.spec, array, this.notation), note, shape.join(" × ")]
      .filter(Boolean)
      .join(", ");
    return el(
      "div",
      { class: `picture is-${array}`, role: "img", "aria-label": label },
      caption,
      el("div", { class: "planes" }, ...planes),
    );
  }

  #filterName(o) {
    if (o === undefined || this.spec.o === 1) return "";
    return `${this.words.planes.c} ${o + (this.notation === "textbook" ? 1 : 0)}`;
  }

  // Make the cells as large as the widest row of pictures allows.
  #fit(host, pictures) {
    const columns = pictures.map(({ shape }) => planeShape(shape)[1]);
    const together = columns.reduce((sum, many) => sum + many, 0);
    const gaps = (SIGN + 22) * (columns.length - 1);
    const inRow = Math.floor((host.clientWidth - gaps) / together) - 2;
    const alone = Math.floor((host.clientWidth - SIGN) / Math.max(...columns)) - 2;
    const cell = inRow >= 26 ? inRow : alone;
    host.style.setProperty("--cell", `${Math.max(LEAST_CELL, Math.min(LARGEST_CELL, cell))}px`);
  }
}

// A cell that is only looked at; `kind` says why a 0 was inserted.
function staticCell({ number, tone = null, kind = "given" }) {
  const text = number === null ? "" : shown(number);
  const classes = [
    "cell",
    fitClass(text),
    tone === null ? "" : "lit",
    number === null ? "empty" : "",
    `kind-${kind}`,
  ];
  const style = tone === null ? null : `--tone:var(--tone-${tone})`;
  return el(
    "td",
    { class: classes.filter(Boolean).join(" "), style },
    el("span", { class: "number" }, text),
  );
}
