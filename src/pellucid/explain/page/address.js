// The address holds the problem, and the element where it is not the one that is shown first:
// `#c1+i5x5+o1+k3x3+s2@gw:0,0,0,0`. So a link leads to the same picture. Read on: app.js.

import { formatSpec } from "./spec.js";

// Write it, without a new entry in the browser's history. `element` may be null.
export function writeAddress(spec, element) {
  const place = element ? `@${element.array}:${element.index}` : "";
  const address = `#${formatSpec(spec).replaceAll(" ", "+")}${place}`;
  if (location.hash !== address) history.replaceState(null, "", address);
}

// Read it: the text of the problem, empty where there is none, and the element behind the @.
export function readAddress() {
  const [name, place = ""] = unescaped(location.hash.slice(1)).split("@");
  return { text: name.replaceAll("+", " ").trim(), element: readElement(place) };
}

// Read an element as in `gw:0,0,0,0`, null where nothing stands there.
export function readElement(text) {
  const [array, index = ""] = text.split(":");
  return text ? { array, index: index.split(",").map(Number) } : null;
}

// What stands behind a % that is none of ours is left as it is.
function unescaped(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
