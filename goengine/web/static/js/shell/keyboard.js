/** Every key of the page and what it does; the help shows the same table. */

import {
  analyse,
  ask,
  isOver,
  mayPlay,
  mistake,
  pass,
  mark,
  playAt,
  step,
  toEnd,
  toggleDead,
  toStart,
  undo,
  variation,
} from "./actions.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./app.js").View} View */
/** @typedef {{keys: string[], shown: string[], text: string, act: (app: App) => void}} Binding */

const TEN = 10;

/** @type {Binding[]} */
export const BINDINGS = [
  { keys: ["ArrowLeft"], shown: ["←"], text: "key.back", act: (app) => step(app, -1) },
  { keys: ["ArrowRight"], shown: ["→"], text: "key.forward", act: (app) => step(app, 1) },
  { keys: ["ArrowUp"], shown: ["↑"], text: "key.variation_up", act: (app) => variation(app, -1) },
  { keys: ["ArrowDown"], shown: ["↓"], text: "key.variation_down", act: (app) => variation(app, 1) },
  { keys: ["Home"], shown: ["Home"], text: "key.first", act: toStart },
  { keys: ["End"], shown: ["End"], text: "key.last", act: toEnd },
  { keys: ["PageUp"], shown: ["PgUp"], text: "key.back_ten", act: (app) => step(app, -TEN) },
  { keys: ["PageDown"], shown: ["PgDn"], text: "key.forward_ten", act: (app) => step(app, TEN) },
  { keys: ["p"], shown: ["P"], text: "pass", act: pass },
  { keys: ["u"], shown: ["U"], text: "undo", act: undo },
  { keys: ["n"], shown: ["N"], text: "new.title", act: (app) => app.update({ dialog: "new" }) },
  { keys: ["h"], shown: ["H"], text: "hint", act: (app) => mayPlay(app) && ask(app, "hint") },
  { keys: [" "], shown: ["key.space"], text: "key.analyse", act: analyseInStudy },
  { keys: ["Enter"], shown: ["Enter"], text: "play.engine_move", act: engineMove },
  { keys: ["c"], shown: ["C"], text: "key.cross", act: toggleCross },
  { keys: ["e"], shown: ["E"], text: "key.mistake", act: (app) => mistake(app, 1) },
  { keys: ["E"], shown: ["⇧E"], text: "key.mistake_back", act: (app) => mistake(app, -1) },
  { keys: ["1"], shown: ["1"], text: "view.play", act: (app) => app.update({ view: "play" }) },
  { keys: ["2"], shown: ["2"], text: "view.study", act: (app) => app.update({ view: "study" }) },
  { keys: ["3"], shown: ["3"], text: "view.inside", act: (app) => app.update({ view: "inside" }) },
  { keys: ["?"], shown: ["?"], text: "help.title", act: (app) => app.update({ dialog: "help" }) },
  { keys: ["Escape"], shown: ["Esc"], text: "key.escape", act: escape },
];

/** @param {App} app */
function analyseInStudy(app) {
  if (app.state.view === "play") app.update({ view: "study" });
  analyse(app);
}

/** @param {App} app */
function engineMove(app) {
  const table = app.table.shown();
  if (table && !table.thinking && !isOver(table) && !table.counting) ask(app, "engine_move");
}

/** @param {App} app */
function toggleCross(app) {
  const table = app.table.shown();
  if (!table) return;
  const middle = Math.floor(table.size / 2);
  const cross = app.state.cross ? null : (app.position()?.last ?? [middle, middle]);
  if (cross) document.getElementById("board")?.focus();
  app.update({ cross: /** @type {[number, number] | null} */ (cross) });
}

/** @param {App} app */
function escape(app) {
  app.update({ cross: null, tool: null, variation: null, pinned: null, plane: null });
}

/**
 * Move the cursor on the board, or act on its point.
 *
 * @param {App} app
 * @param {string} key
 * @returns {boolean} whether the key meant the cursor
 */
export function crossKey(app, key) {
  const table = app.table.shown();
  const { cross } = app.state;
  if (!table || !cross) return false;
  const moves = /** @type {Record<string, [number, number]>} */ ({
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  });
  const by = moves[key];
  if (by) {
    const fit = (/** @type {number} */ at) => Math.min(table.size - 1, Math.max(0, at));
    app.update({ cross: [fit(cross[0] + by[0]), fit(cross[1] + by[1])] });
    return true;
  }
  if (key !== "Enter" && key !== " ") return false;
  if (table.counting) toggleDead(app, cross);
  else if (app.state.tool && app.state.view === "study") mark(app, cross);
  else playAt(app, cross);
  return true;
}

/**
 * After a click with the mouse or a finger the keys belong to the game again, not to the button, so
 * that Space does not press it once more. Who came with the keyboard stays where they are.
 *
 * @param {Document} page
 */
function letGoAfterPointer(page) {
  let pointer = false;
  page.addEventListener("pointerdown", () => (pointer = true), true);
  page.addEventListener("keydown", () => (pointer = false), true);
  for (const kind of ["click", "change"]) {
    page.addEventListener(kind, (event) => {
      const target = /** @type {HTMLElement | null} */ (event.target);
      const control = target?.closest("button, input[type=checkbox], select");
      const chosen = kind === "change" || control?.tagName !== "SELECT";
      if (pointer && chosen && control instanceof HTMLElement) control.blur();
    });
  }
}

/**
 * A key by its letter; where an input method or another script holds the letter back, by its place.
 *
 * @param {Pick<KeyboardEvent, "key" | "code" | "shiftKey">} event
 * @returns {string} letters small without shift, whatever caps lock says
 */
export function keyOf({ key, code, shiftKey }) {
  const letter = /^[a-z]$/i.test(key) ? key : /^Key([A-Z])$/.exec(code)?.[1];
  if (letter) return shiftKey ? letter.toUpperCase() : letter.toLowerCase();
  if (key !== "Process") return key;
  if (code === "Slash" && shiftKey) return "?";
  return /^Digit(\d)$/.exec(code)?.[1] ?? (code === "Space" ? " " : code);
}

/**
 * @param {App} app
 * @param {Document} page
 */
export function listenForKeys(app, page) {
  letGoAfterPointer(page);
  page.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || app.state.dialog) return;
    const target = /** @type {HTMLElement | null} */ (event.target);
    if (target?.closest("textarea, input[type=number], select, dialog")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    const onButton = Boolean(target?.closest("button, a, input"));
    if (onButton && (event.key === "Enter" || event.key === " ")) return;
    if (target?.closest("[role=tab]") && event.key.startsWith("Arrow")) return;
    const key = keyOf(event);
    if (crossKey(app, key)) {
      event.preventDefault();
      return;
    }
    const binding = BINDINGS.find(({ keys }) => keys.includes(key));
    if (!binding) return;
    event.preventDefault();
    binding.act(app);
  });
}
