/** Small drawings for buttons, in the colour of the text. */

import { h } from "../../vendor/goban.js";

/** @type {Record<string, string>} */
const PATHS = {
  first: "M6 5v14M18 5l-9 7 9 7z",
  back: "M15 5l-9 7 9 7z",
  forward: "M9 5l9 7-9 7z",
  last: "M18 5v14M6 5l9 7-9 7z",
  undo: "M9 5L4 10l5 5M4 10h10.5a5 5 0 0 1 0 10H11",
  hint: "M9 18h6M10 21h4M12 3a6 6 0 0 0-3.6 10.8c.6.5.9 1.3.9 2.2h5.4c0-.9.3-1.7.9-2.2A6 6 0 0 0 12 3z",
  pass: "M5 12h13M13 6l6 6-6 6",
  pause: "M9 5v14M15 5v14",
  flag: "M6 21V4M6 5c4-2.5 7 2.5 12 0v9c-5 2.5-8-2.5-12 0",
  count: "M4 4h7v7H4zM13 13h7v7h-7zM13 4h7v7h-7zM4 13h7v7H4z",
  plus: "M12 5v14M5 12h14",
  gear: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM9 15a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  help: "M9 9.5a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 18v.5",
  close: "M6 6l12 12M18 6L6 18",
  open: "M4 19V6h6l2 2h8v11z",
  paste: "M8 5h8v3H8zM8 6H5v15h14V6h-3",
  save: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  engine: "M7 7h10v10H7zM10 10h4v4h-4zM9 7V3M15 7V3M9 21v-4M15 21v-4M7 9H3M7 15H3M21 9h-4M21 15h-4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  up: "M12 20V5M6 11l6-6 6 6",
  circle: "M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12z",
  square: "M6.5 6.5h11v11h-11z",
  triangle: "M12 5.5l7 12H5z",
  cross: "M7 7l10 10M17 7L7 17",
};
const FILLED = new Set(["first", "back", "forward", "last"]);

/** @param {{name: string}} props */
export function Icon({ name }) {
  return h(
    "svg",
    { class: `icon ${FILLED.has(name) ? "filled" : ""}`, viewBox: "0 0 24 24", "aria-hidden": "true" },
    h("path", { d: PATHS[name] ?? "" }),
  );
}
