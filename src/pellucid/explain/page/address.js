// The address holds the problem, and the element and the view where they are not those that are shown
// first: `#c1+i5x5+o1+k3x3+s2@gw:0,0,0,0/gather`. So a link leads to the same picture. The problem is
// followed by `+transposed` where that is meant. Read on: app.js.

import { called } from "./notation.js";
import { formatSpec } from "./spec.js";

const TRANSPOSED = " transposed";

// Write it, without a new entry in the browser's history. `element` and `view` may be null.
export function writeAddress(spec, element, view) {
  const name = formatSpec(spec) + (spec.transposed ? TRANSPOSED : "");
  const place = element ? `@${called(spec, element.array)}:${element.index}` : "";
  const address = `#${name.replaceAll(" ", "+")}${place}${view ? `/${view}` : ""}`;
  if (location.hash !== address) history.replaceState(null, "", address);
}

// Read it: the text of the problem, empty where there is none, whether it is transposed, the element
// behind the @, and the name behind the /.
export function readAddress() {
  const [what, view = null] = unescaped(location.hash.slice(1)).split("/");
  const [name, place = ""] = what.split("@");
  const said = name.replaceAll("+", " ").trim();
  const transposed = said.endsWith(TRANSPOSED);
  const text = transposed ? said.slice(0, -TRANSPOSED.length) : said;
  return { text, transposed, element: readElement(place, transposed), view };
}

// Read an element as in `gw:0,0,0,0`, null where nothing stands there.
export function readElement(text, transposed) {
  const [name, index = ""] = text.split(":");
  if (!text) return null;
  return { array: called({ transposed }, name), index: index.split(",").map(Number) };
}

// What stands behind a % that is none of ours is left as it is.
function unescaped(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
