// The numbers that are given: x, w, b and gy. They follow a pattern, which Python can write in one
// line, and whoever reads may change any of them. All else on the page is computed from these.
// Read on: light.js.

import { product } from "./spec.js";

export const GIVEN = ["x", "w", "b", "gy"];
export const PATTERNS = ["counting", "ones", "mixed"];
const POWERS = 4; // so many outputs get 1, 10, 100, 1000: the digits then tell them apart
const COUNT = { x: 99, w: 9, b: 9, gy: 9 }; // where counting begins again

const flat = (shape, index) => index.reduce((place, at, axis) => place * shape[axis] + at, 0);

export const isPowers = (spec, array) => array === "gy" && product(spec.shapes.gy) <= POWERS;
export const wrapsAt = (array) => COUNT[array];

const MAKE = {
  counting: (spec, array, k) => (isPowers(spec, array) ? 10 ** k : 1 + (k % COUNT[array])),
  ones: () => 1,
  mixed: (spec, array, k) => ((7 * (k % 19) ** 2 + 5 * k + 3) % 19) - 9,
};

// The given numbers of one problem.
export class Numbers {
  constructor(spec, pattern = "counting") {
    this.spec = spec;
    this.pattern = pattern;
    this.edits = new Map(); // "x:0,0,0,2" -> a number that was typed
  }

  at(array, index) {
    const edited = this.edits.get(`${array}:${index}`);
    if (edited !== undefined) return edited;
    return MAKE[this.pattern](this.spec, array, flat(this.spec.shapes[array], index));
  }

  set(array, index, number) {
    this.edits.set(`${array}:${index}`, number);
  }
}

// A number as it is shown: whole ones whole, others to four digits.
export function shown(number) {
  const rounded =
    Number.isInteger(number) && Math.abs(number) < 1e7
      ? String(number)
      : String(Number(number.toPrecision(4)));
  return rounded.replace("-", "−");
}
