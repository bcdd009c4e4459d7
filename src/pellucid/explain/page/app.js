// The page itself: what is chosen, what is pointed at, and what is redrawn when either changes.
// Everything else is drawn from the state here and changes nothing of it, but by calling back.
// To read all modules, begin at spec.js and follow "Read on".

import { readAddress, readElement, writeAddress } from "./address.js";
import { coverageAt, reasonAt } from "./axis.js";
import { Controls, drawChoices } from "./controls.js";
import { countTerms, indicesOf, latexOf, textOf, valueOf } from "./derive.js";
import { el } from "./draw.js";
import { GoTo } from "./goto.js";
import { drawHeat } from "./heat.js";
import { MOST_CELLS, tooLarge } from "./layout.js";
import { lightsOf } from "./light.js";
import { baseOf, called, textName } from "./notation.js";
import { GIVEN, Numbers, PATTERNS } from "./numbers.js";
import { drawEquation, emphasise, shortTextOf, sumOf, wordsFor } from "./panel.js";
import { Player } from "./player.js";
import { Sources } from "./sources.js";
import { formatSpec, parseSpec, partsOf, product, SpecError } from "./spec.js";
import { Stage } from "./stage.js";
import { STRINGS } from "./strings.js";
import { TRANSPOSED, wordsOf } from "./transposed.js";
import { VIEWS, viewOf } from "./views.js";

const byId = (id) => document.getElementById(id);
const root = document.documentElement;
const NOTATIONS = ["textbook", "indices"];

const state = {
  language: root.lang,
  notation: root.dataset.notation,
  view: root.dataset.view, // the tab that is open
  pattern: "counting", // of the given numbers
  // The problem that is drawn, the text that was asked for last, and why that is impossible.
  spec: null,
  numbers: null,
  asked: "",
  problem: null,
  // The element that stays, the one that is pointed at, and the number of the term that is.
  chosen: null,
  preview: null,
  term: null,
};

const words = () => wordsOf(state.language, state.spec.transposed);
const current = () => state.preview ?? state.chosen;

// Any number of any array; what is not given is computed, and kept until the numbers change.
const known = new Map();
function value(array, index) {
  if (GIVEN.includes(array)) return state.numbers.at(array, index);
  const key = `${array}:${index}`;
  if (!known.has(key)) known.set(key, valueOf(state.spec, array, index, at));
  return known.get(key);
}
const at = (array, index) => state.numbers.at(array, index);

// --- choosing -------------------------------------------------------------------------------------

// The element that tells most at first: the first pixel whose gradient has two terms.
function firstElement(spec) {
  if (tooLarge(spec)) return { array: "gx", index: spec.shapes.gx.map(() => 0) };
  const pixels = [...indicesOf(spec.shapes.gx)];
  const bias = spec.transposed ? 1 : 0;
  const index = pixels.find((one) => countTerms(spec, "gx", one) - bias > 1) ?? pixels[0];
  return index ? { array: "gx", index } : { array: "gw", index: spec.shapes.gw.map(() => 0) };
}

const exists = (spec, { array, index }) =>
  spec.shapes[array]?.length === index.length &&
  index.every(
    (place, axis) => Number.isInteger(place) && place >= 0 && place < spec.shapes[array][axis],
  );

const sameElement = (a, b) => a && b && a.array === b.array && String(a.index) === String(b.index);

function choose(element) {
  state.preview = null;
  if (!sameElement(state.chosen, element)) {
    state.chosen = element;
    state.term = null;
    remember();
    showPlayer();
  }
  showElement();
}

// While a cell that belongs to the equation is pointed at, its term stands out; any other cell
// shows its own equation until the pointer leaves it.
function point(element) {
  const own = lightsOf(state.spec, state.chosen).cells.find((cell) => sameElement(cell, element));
  const [preview, term] = own ? [null, own.term] : [element, null];
  if (sameElement(preview, state.chosen)) return leave();
  if (sameElement(preview, state.preview) && term === state.term) return undefined;
  Object.assign(state, { preview, term });
  return showElement();
}

function remember() {
  const first = sameElement(state.chosen, firstElement(state.spec));
  const view = state.view === VIEWS[0] ? null : state.view;
  writeAddress(state.spec, first ? null : state.chosen, view);
}

function leave() {
  if (state.preview || state.term !== null) {
    Object.assign(state, { preview: null, term: null });
    showElement();
  }
}

function hoverTerm(term) {
  state.term = term;
  emphasise(byId("equation"), term);
  if (!tooLarge(state.spec)) stage.light(lightsOf(state.spec, current()), term);
}

// --- the problem ----------------------------------------------------------------------------------

// Take another problem from its one-line name; where it is impossible, say why and keep the last.
function ask(
  text,
  element = state.chosen,
  view = state.view,
  transposed = state.spec.transposed,
) {
  state.asked = text;
  try {
    setSpec(parseSpec(text, transposed), element, view);
    state.problem = null;
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    state.problem = error;
  }
  showControls();
}

// Where there is no such element, the first one is chosen.
function setSpec(spec, element, view) {
  const { spec: before } = state;
  if (
    !before ||
    formatSpec(before) !== formatSpec(spec) ||
    before.transposed !== spec.transposed
  ) {
    state.numbers = new Numbers(spec, state.pattern);
    state.spec = spec;
  }
  const chosen = element && exists(spec, element) ? element : firstElement(spec);
  Object.assign(state, { chosen, view, preview: null, term: null });
  remember();
  showAll();
}

// --- drawing --------------------------------------------------------------------------------------

function showAll() {
  known.clear();
  showWords();
  const large = tooLarge(state.spec);
  root.classList.toggle("large", Boolean(large));
  if (large) {
    const count = product(state.spec.shapes[large]);
    const name = baseOf(called(state.spec, large));
    stageHost.replaceChildren(el("p", { class: "note" }, words().large(name, count, MOST_CELLS)));
  } else {
    const focused = stage.holdsFocus();
    stage.draw({ spec: state.spec, value, notation: state.notation, words: words() });
    if (focused) stage.focus(state.chosen);
    drawHeat(byId("heat"), byId("legend"), { ...state, words: words() });
    showPlayer();
  }
  showElement();
  showChoices();
}

function showPlayer() {
  if (!tooLarge(state.spec)) player.show({ ...state, words: words() });
}

function showElement() {
  const { spec, notation, numbers, term } = state;
  const element = current();
  const lights = lightsOf(spec, element);
  const { equation, terms, count } = lights;
  const result = terms.length === count ? sumOf(terms, at) : null;
  byId("words").textContent = wordsFor(spec, element, count, words());
  const large = Boolean(tooLarge(spec));
  const shown = { spec, numbers, notation, words: words(), value: result };
  drawEquation(byId("equation"), { ...shown, lights, large }, hoverTerm);
  emphasise(byId("equation"), term);
  byId("reading").textContent = shortTextOf(spec, equation, terms, notation);
  if (!large) stage.light(lights, term);
  showEdit(element);
  if (!state.preview) sources.show({ ...shown, equation });
}

// The field for a given number; what was wrong with a number is said until another is chosen.
function showEdit(element) {
  const editable = GIVEN.includes(element.array);
  byId("edit").hidden = !editable;
  if (!editable) return;
  const name = textName(state.spec, element.array, element.index, state.notation);
  if (byId("number-label").textContent !== `${name} =`) refuseNumber("");
  byId("number-label").textContent = `${name} =`;
  byId("number").setAttribute("aria-label", words().newNumber(name));
  if (byId("number") !== document.activeElement)
    byId("number").value = String(at(element.array, element.index));
}

function refuseNumber(problem) {
  byId("number").setAttribute("aria-invalid", String(Boolean(problem)));
  byId("number-problem").textContent = problem;
}

function showControls() {
  const { problem, spec } = state;
  const said =
    problem &&
    `${words().impossible} ${words().rules[problem.rule](problem.facts)} ${words().still(formatSpec(spec))}`;
  controls.show(problem ? askedParts() : spec, state.asked, said, words());
  byId("stage").classList.toggle("stale", Boolean(problem));
}

// The numbers of an impossible problem, where they can be read at all.
function askedParts() {
  try {
    return partsOf(state.asked);
  } catch {
    return null;
  }
}

function showChoices() {
  const kind = state.spec.transposed ? "transposed" : "convolution";
  drawChoices(byId("kinds"), ["convolution", "transposed"], words().kinds, kind, (wanted) => {
    ask(formatSpec(state.spec), null, state.view, wanted === "transposed");
  });
  drawChoices(byId("patterns"), PATTERNS, words().patterns, state.pattern, (pattern) => {
    state.pattern = pattern;
    state.numbers = new Numbers(state.spec, pattern);
    showAll();
  });
  drawChoices(byId("notations"), NOTATIONS, words(), state.notation, (notation) => {
    state.notation = notation;
    showAll();
  });
  goTo.show({ ...state, words: words() });
}

function showWords() {
  root.lang = state.language;
  document.title = `pellucid: ${words().title}`;
  for (const node of document.querySelectorAll("[data-text]"))
    node.textContent = words()[node.dataset.text];
  for (const node of document.querySelectorAll("[data-label]"))
    node.setAttribute("aria-label", words()[node.dataset.label]);
  for (const node of document.querySelectorAll("[data-language]")) {
    node.setAttribute("aria-pressed", String(node.dataset.language === state.language));
  }
}

// --- what happens ---------------------------------------------------------------------------------

function enterNumber(event) {
  event.preventDefault();
  const { array, index } = state.chosen;
  const text = byId("number").value.trim().replace("−", "-");
  const number = Number(text);
  if (text === "" || !Number.isFinite(number)) return refuseNumber(words().badNumber);
  refuseNumber("");
  state.numbers.set(array, index, number);
  byId("number").blur();
  showAll();
  return stage.focus(state.chosen);
}

function switchTheme() {
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

const stageHost = byId("stage");
const player = new Player(byId, (view) => {
  state.view = view;
  remember();
  showPlayer();
});
const stage = new Stage(stageHost, {
  point,
  leave,
  pick: choose,
  type(element, text) {
    choose(element);
    const input = byId("number");
    input.focus();
    if (text !== null) input.value = text;
    else input.select();
  },
});
const goTo = new GoTo(byId, (element) => exists(state.spec, element), choose);
const sources = new Sources(byId("sources"), byId("said"));
const controls = new Controls(byId, (text) => ask(text));

byId("edit").addEventListener("submit", enterNumber);
byId("number").addEventListener("focus", () => {
  if (state.preview) leave();
});
byId("number").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  refuseNumber("");
  byId("number").blur();
  showElement();
  stage.focus(state.chosen);
});
byId("copy-latex").addEventListener("click", () => sources.copy("latex"));
byId("theme").addEventListener("click", switchTheme);
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    state.language = button.dataset.language;
    showAll();
    showControls();
  });
}
// Go where an address leads, all of it: what it leaves out is what is shown first.
function follow({ text, element, view, transposed }) {
  if (text) ask(text, element, VIEWS.includes(view) ? view : VIEWS[0], transposed);
}
window.addEventListener("hashchange", () => follow(readAddress()));
let resizing = 0;
window.addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(() => {
    if (!tooLarge(state.spec)) {
      stage.fit();
      showPlayer();
    }
  });
});

const address = readAddress();
const given = root.dataset;
const isTransposed = given.kind === "transposed";
ask(given.spec, readElement(given.element, isTransposed), given.view, isTransposed);
follow(address);

// For the console, and for the tests that hold this page against pellucid.explain.
window.pellucid = {
  ...{ parseSpec, formatSpec, indicesOf, textOf, latexOf, valueOf, reasonAt, coverageAt },
  ...{ viewOf, VIEWS, Numbers, STRINGS, TRANSPOSED, called, state },
};
