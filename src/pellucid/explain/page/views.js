// The gradients as procedures, step by step. A view says how many steps it has, and what its pictures
// hold and what is said after any of them; all end with the numbers of derive.js, which a test holds.
// Read on: player.js.

import { gather, phases } from "./collect.js";
import { scatter, windows } from "./spread.js";

const MAKE = { scatter, gather, phases, windows };

export const VIEWS = Object.keys(MAKE);

// Return a view of one plane; `numbers(array, index)` gives what is given.
export const viewOf = (name, spec, numbers, plane) => MAKE[name](spec, numbers, plane);
