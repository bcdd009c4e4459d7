// Python code that computes the numbers on the page: with PyTorch, and with pellucid. The given
// arrays are written as the pattern that they follow, then what was typed. Read on: sources.js.

import { textName } from "./notation.js";
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
  const lines = GIVEN.map((array) => {
    const flat = flatArray(spec, array, numbers.pattern);
    return `${array} = (${flat}).reshape${tuple(spec.shapes[array]).replace(",)", ")")}`;
  });
  for (const [place, number] of numbers.edits) {
    const [array, index] = place.split(":");
    lines.push(`${array}[${index.split(",").join(", ")}] = ${number}`);
  }
  return lines;
}

const oneOrAll = (numbers) => (new Set(numbers).size === 1 ? String(numbers[0]) : tuple(numbers));

function options(spec, padding) {
  const all = [];
  if (spec.s.some((stride) => stride !== 1)) all.push(`stride=${oneOrAll(spec.s)}`);
  if (padding) all.push(`padding=${padding}`);
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
  const asked = array === "y" ? `y${where}` : `${array.slice(1)}.grad${where}`;
  const name = textName(spec, array, index, notation);
  return `print(${asked})  # ${name}${value === null ? "" : ` = ${value}`}`;
}

export function torchCode(shown) {
  const { spec } = shown;
  const even = isEven(spec);
  const padding = isPadded(spec) && even ? oneOrAll(spec.p.map(([low]) => low)) : null;
  const input = even ? "x" : `F.pad(x, ${tuple([...spec.p].reverse().flat())})`;
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
    `y = F.conv${spec.axes}d(${input}, w, b${options(spec, padding)})`,
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
    `y = F.conv${spec.axes}d(x, w, b${options(spec, padding)})`,
    "y.backward(pellucid.tensor(gy))",
    question(shown),
  ].join("\n");
}
