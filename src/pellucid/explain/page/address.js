// The address holds the problem, and the element and the view where they are not those that are shown
// first: `#c1+i5x5+o1+k3x3+s2@gw:0,0,0,0/gather`. So a link leads to the same picture. Read on: app.js.

import { formatSpec } from "./spec.js";

// Write it, without a new entry in the browser's history. `element` and `view` may be null.
export function writeAddress(spec, element, view) {
  const place = element ? `@${element.array}:${element.index}` : "";
  const address = `#${formatSpec(spec).replaceAll(" ", "+")}${place}${view ? `/${view}` : ""}`;
  if (location.hash !== address) history.replaceState(null, "", address);
}

// Read it: the text of the problem, empty where there is none, the element behind the @, and the name
// behind the /.
export function readAddress() {
  const [what, view = null] = unescaped(location.hash.slice(1)).split("/");
  const [name, place = ""] = what.split("@");
  return { text: name.replaceAll("+", " ").trim(), element: readElement(place), view };
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
