/** What a screen reader says: every move, the point under the keyboard's cursor, the result. */

import { wordOf } from "../state/coords.js";
import { moveNumber } from "../state/tree.js";
import { colourName, resultText, t } from "../strings/index.js";
import { newCaptures } from "./sounds.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("../state/coords.js").Vertex} Vertex */

/** Milliseconds to wait for the last of several quick steps. */
const CALM = 120;

/**
 * @param {App} app
 * @returns {string} the move at the cursor and what it took
 */
export function moveSentence(app) {
  const table = app.table.shown();
  const position = app.position();
  if (!table || !position) return "";
  const move = table.tree.nodes[table.cursor]?.move;
  if (!move) return t("say.start", { colour: colourName(position.toPlay) });
  const number = moveNumber(table.tree, table.cursor);
  const colour = colourName(move[0]);
  if (move[1] === "pass") return t("say.pass", { number, colour });
  const stones = newCaptures(app);
  const said = t("say.move", { number, colour, move: move[1] });
  return stones ? `${said} ${t("say.captures", { stones })}` : said;
}

/**
 * @param {App} app
 * @param {Vertex} vertex
 * @returns {string} what is on the point
 */
export function pointSentence(app, vertex) {
  const table = app.table.shown();
  const board = app.position()?.board;
  if (!table || !board) return "";
  const point = wordOf(vertex, table.size);
  const sign = board.get(vertex);
  if (!sign) return t("say.empty", { point });
  const liberties = board.getLiberties(vertex).length;
  return t("say.stone", { point, colour: colourName(sign > 0 ? "B" : "W"), liberties });
}

/**
 * @param {App} app
 * @param {HTMLElement} region an aria-live region
 */
export function listenForSpeech(app, region) {
  let said = "";
  let cross = /** @type {Vertex | null} */ (null);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const say = (/** @type {string} */ text) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      region.textContent = text;
    }, CALM);
  };
  app.listeners.add(() => {
    const table = app.table.shown();
    if (!table) return;
    const now = `${table.tree.root} ${moveSentence(app)} ${table.result}`;
    if (now !== said) {
      said = now;
      say(table.result ? `${moveSentence(app)} ${resultText(table.result)}` : moveSentence(app));
    } else if (app.state.cross && app.state.cross !== cross) {
      say(pointSentence(app, app.state.cross));
    }
    cross = app.state.cross;
  });
}
