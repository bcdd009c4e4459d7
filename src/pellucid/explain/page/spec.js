// The problem, said once: the one-line name `c1 i5x5 o1 k3x3 s2`, read, checked and written.
// The grammar and the rules are those of ConvSpec, in src/pellucid/kernels/conv/spec.py, in the same
// order; what a rule says stands in strings.js, in each language. Read on: axis.js.

const DEFAULTS = { n: "1", s: "1", p: "0", d: "1", g: "1" };
const ONE = /^[0-9]+$/;
const MANY = /^[0-9]+(x[0-9]+)*$/;
const PADS = /^-?[0-9]+(:-?[0-9]+)?(x-?[0-9]+(:-?[0-9]+)?)*$/;
const GRAMMAR = { n: ONE, c: ONE, i: MANY, o: ONE, k: MANY, s: MANY, p: PADS, d: MANY, g: ONE };
const LETTERS = "DHW"; // the spatial axes; fewer than three are the last ones
const LARGEST = 1e9; // of a number here, so that every product of two of them is exact

export const KEYS = Object.keys(GRAMMAR);

// A rule that does not hold: its name in strings.js, and the numbers that it speaks of.
export class SpecError extends Error {
  constructor(rule, facts) {
    super(rule);
    this.rule = rule;
    this.facts = facts;
  }
}

export const product = (numbers) => numbers.reduce((a, b) => a * b, 1);

// Cut a one-line name into the text behind each key.
function fieldsOf(text) {
  const fields = {};
  for (const part of text.split(/\s+/).filter(Boolean)) {
    const key = part[0];
    const value = part.slice(1);
    if (!(key in GRAMMAR)) throw new SpecError("unknownKey", { part, keys: KEYS.join(" ") });
    if (key in fields) throw new SpecError("twice", { key, first: key + fields[key], part });
    if (!GRAMMAR[key].test(value)) throw new SpecError("badValue", { part, key });
    if ((value.match(/[0-9]+/g) ?? []).some((digits) => Number(digits) > LARGEST)) {
      throw new SpecError("tooLarge", { part });
    }
    fields[key] = value;
  }
  const missing = KEYS.find((key) => !(key in fields) && !(key in DEFAULTS));
  if (missing) throw new SpecError("missing", { key: missing });
  return { ...DEFAULTS, ...fields };
}

const sizes = (text) => text.split("x").map(Number);

const pads = (text) =>
  text.split("x").map((pad) => {
    const [low, high = low] = pad.split(":").map((number) => Number(number) + 0);
    return [low, high];
  });

const forAll = (entries, axes) => (entries.length === 1 ? Array(axes).fill(entries[0]) : entries);

// out = floor((in + p_low + p_high - d (k - 1) - 1) / s) + 1
export const countWindows = (size, [low, high], kernel, stride, dilation) =>
  Math.floor((size + low + high - dilation * (kernel - 1) - 1) / stride) + 1;

// Return the spec of a one-line name, or throw a SpecError. A `transposed` convolution has the name of
// the one whose dL/dX is its output. Its arrays stand under the keys that they have there: y is its
// dL/dX, gx its output; notation.js knows what they are called.
export const parseSpec = (text, transposed = false) => makeSpec({ ...partsOf(text), transposed });

// Return the numbers in a one-line name, whether or not they make a convolution.
export function partsOf(text) {
  const fields = fieldsOf(text);
  const i = sizes(fields.i);
  return {
    n: Number(fields.n),
    c: Number(fields.c),
    i,
    o: Number(fields.o),
    k: forAll(sizes(fields.k), i.length),
    s: forAll(sizes(fields.s), i.length),
    p: forAll(pads(fields.p), i.length),
    d: forAll(sizes(fields.d), i.length),
    g: Number(fields.g),
  };
}

// Hold the numbers of a problem to the rules, and add the shapes of its arrays.
function makeSpec(parts) {
  const spec = { ...parts, axes: parts.i.length };
  checkCounts(spec);
  checkSigns(spec);
  checkGroups(spec);
  spec.out = spec.i.map((_, axis) => windowsAlong(spec, axis));
  spec.shapes = {
    x: [spec.n, spec.c, ...spec.i],
    w: [spec.o, spec.c / spec.g, ...spec.k],
    b: [spec.transposed ? spec.c : spec.o],
    y: [spec.n, spec.o, ...spec.out],
  };
  for (const array of ["x", "w", "b", "y"]) spec.shapes[`g${array}`] = spec.shapes[array];
  return spec;
}

function checkCounts({ axes, k, s, p, d }) {
  if (axes > LETTERS.length) throw new SpecError("axes", { axes });
  for (const [key, numbers] of Object.entries({ k, s, p, d })) {
    if (numbers.length !== axes) {
      throw new SpecError("count", { key, count: numbers.length, axes });
    }
  }
}

function checkSigns(spec) {
  for (const key of ["c", "o", "g", "i", "k", "s", "d"]) {
    if ([spec[key]].flat().some((number) => number < 1)) throw new SpecError("positive", { key });
  }
}

function checkGroups({ c, o, g }) {
  for (const [letter, channels] of [
    ["C", c],
    ["O", o],
  ]) {
    if (channels % g) throw new SpecError("groups", { letter, channels, g, rest: channels % g });
  }
}

function windowsAlong({ i, p, k, s, d, axes }, axis) {
  const count = countWindows(i[axis], p[axis], k[axis], s[axis], d[axis]);
  if (count < 1) {
    throw new SpecError("kernel", {
      letter: LETTERS[axis + LETTERS.length - axes],
      reach: d[axis] * (k[axis] - 1) + 1,
      padded: i[axis] + p[axis][0] + p[axis][1],
    });
  }
  return count;
}

// Write the one-line name: keys in their order, defaults left out.
export function formatSpec(spec) {
  const joined = (numbers) => numbers.join("x");
  const shortest = (texts) => (new Set(texts).size === 1 ? String(texts[0]) : joined(texts));
  const fields = {
    n: String(spec.n),
    c: String(spec.c),
    i: joined(spec.i),
    o: String(spec.o),
    k: joined(spec.k),
    s: shortest(spec.s),
    p: shortest(spec.p.map(([low, high]) => (low === high ? `${low}` : `${low}:${high}`))),
    d: shortest(spec.d),
    g: String(spec.g),
  };
  return KEYS.filter((key) => fields[key] !== DEFAULTS[key])
    .map((key) => key + fields[key])
    .join(" ");
}
