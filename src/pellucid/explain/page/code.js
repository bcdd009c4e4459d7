// Python code that computes the numbers on the page: with PyTorch, and with pellucid. The given
// arrays are written as the pattern that they follow, then what was typed. Read on: sources.js.

import { axesOf } from "./axis.js";
import { called, textName } from "./notation.js";
import { GIVEN, isPowers, wrapsAt } from "./numbers.js";
import { product } from "./spec.js";

const tuple = (numbers) => `(${numbers.join(", ")}${numbers.length === 1 ? "," : ""})`;

// The pattern of one array, of so many numbers, as NumPy makes it.
function flatArray(spec, array, pattern) {
  const count = product(spec.shapes[array]);
  if (pattern === "ones") return `np.ones(${count})`;
  if (pattern === "mixed")
    return `(7 * (np.arange(${count}.0) % 19) ** 2 + 5 * np.arange(${count}) + 3) % 19 - 9`;
  if (isPowers(spec, array)) return `10.0 ** np.arange(${count})`;
  return count <= wrapsAt(array)
    ? `np.arange(${count}.0) + 1`
    : `np.arange(${count}.0) % ${wrapsAt(array)} + 1`;
}

function arrays({ spec, numbers }) {
  const lines = GIVEN.map((name) => {
    const array = called(spec, name);
    const flat = flatArray(spec, array, numbers.pattern);
    return `${name} = (${flat}).reshape${tuple(spec.shapes[array]).replace(",)", ")")}`;
  });
  for (const [place, number] of numbers.edits) {
    const [array, index] = place.split(":");
    lines.push(`${called(spec, array)}[${index.split(",").join(", ")}] = ${number}`);
  }
  return lines;
}

const oneOrAll = (numbers) => (new Set(numbers).size === 1 ? String(numbers[0]) : tuple(numbers));

function options(spec, padding) {
  const all = [];
  if (spec.s.some((stride) => stride !== 1)) all.push(`stride=${oneOrAll(spec.s)}`);
  if (padding) all.push(`padding=${padding}`);
  const leftover = axesOf(spec).map((axis) => axis.leftover);
  if (spec.transposed && leftover.some(Boolean)) all.push(`output_padding=${oneOrAll(leftover)}`);
  if (spec.d.some((dilation) => dilation !== 1)) all.push(`dilation=${oneOrAll(spec.d)}`);
  if (spec.g !== 1) all.push(`groups=${spec.g}`);
  return all.map((option) => `, ${option}`).join("");
}

const isPadded = (spec) => spec.p.flat().some((pad) => pad !== 0);
const isEven = (spec) => spec.p.every(([low, high]) => low === high && low >= 0);

// The line that asks for the chosen element.
function question({ spec, equation, value, notation }) {
  const { array, index } = equation;
  const where = `[${index.join(", ")}]`;
  const own = called(spec, array);
  const asked = own === "y" ? `y${where}` : `${own.slice(1)}.grad${where}`;
  const name = textName(spec, array, index, notation);
  return `print(${asked})  # ${name}${value === null ? "" : ` = ${value}`}`;
}

const functionOf = (spec) => `F.conv${spec.transposed ? "_transpose" : ""}${spec.axes}d`;

// The line of PyTorch that computes y. Padding that differs at the two ends is an op of its own; of a
// transposed convolution it takes rows away, before b is added.
function torchCall(spec) {
  const name = functionOf(spec);
  if (!isPadded(spec) || isEven(spec)) {
    const padding = isPadded(spec) ? oneOrAll(spec.p.map(([low]) => low)) : null;
    return `${name}(x, w, b${options(spec, padding)})`;
  }
  const ends = [...spec.p].reverse().flat();
  if (!spec.transposed) return `${name}(F.pad(x, ${tuple(ends)}), w, b${options(spec, null)})`;
  const bias = `b.reshape(${[1, -1, ...spec.i.map(() => 1)].join(", ")})`;
  const whole = `${name}(x, w, None${options(spec, null)})`;
  return `F.pad(${whole}, ${tuple(ends.map((end) => 0 - end))}) + ${bias}`;
}

export function torchCode(shown) {
  return [
    "import numpy as np",
    "import torch",
    "import torch.nn.functional as F",
    "",
    ...arrays(shown),
    "",
    "x, w, b = (",
    "    torch.tensor(a, requires_grad=True) for a in (x, w, b)",
    ")",
    `y = ${torchCall(shown.spec)}`,
    "y.backward(torch.tensor(gy))",
    question(shown),
  ].join("\n");
}

export function pellucidCode(shown) {
  const { spec } = shown;
  const uneven = tuple(spec.p.map((pad) => tuple(pad)));
  const padding = isPadded(spec)
    ? isEven(spec)
      ? oneOrAll(spec.p.map(([low]) => low))
      : uneven
    : null;
  return [
    "import numpy as np",
    "import pellucid",
    "import pellucid.nn.functional as F",
    "",
    ...arrays(shown),
    "",
    "x, w, b = (",
    "    pellucid.tensor(a, requires_grad=True) for a in (x, w, b)",
    ")",
    `y = ${functionOf(spec)}(x, w, b${options(spec, padding)})`,
    "y.backward(pellucid.tensor(gy))",
    question(shown),
  ].join("\n");
}
