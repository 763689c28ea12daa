/** What the user can do, whichever button, key or touch asks for it. */

import { engineOf, firstGame } from "../panels/game_request.js";
import { wordOf } from "../state/coords.js";
import { plainlyLegal } from "../state/position.js";
import { belowAll, first, last, moveNumber, pathTo, sibling } from "../state/tree.js";
import { currentLanguage, t } from "../strings/index.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("../state/coords.js").Vertex} Vertex */
/** @typedef {import("../link/messages.js").NodeId} NodeId */

/**
 * Whether a click on the board makes a move: with a human to move, or anywhere in a study.
 *
 * @param {App} app
 */
export function mayPlay(app) {
  const table = app.table.shown();
  if (!table || table.counting) return false;
  const position = app.position();
  const human = position && table.players[position.toPlay].kind === "human";
  return app.state.view !== "play" || Boolean(human && !isOver(table));
}

/**
 * Whether the game has ended here; the result of a game that was loaded ends nothing.
 *
 * @param {import("../link/messages.js").Table} table
 */
export function isOver(table) {
  return Boolean(table.result && table.reason);
}

/**
 * Play on a point, and show it at once if it is plainly legal.
 *
 * @param {App} app
 * @param {Vertex} vertex
 */
export function playAt(app, vertex) {
  const table = app.table.shown();
  const position = app.position();
  if (!table || !position) return;
  if (!mayPlay(app)) return sayWhy(app, table);
  if (position.board.get(vertex)) return;
  makeMove(app, wordOf(vertex, table.size), plainlyLegal(position, vertex));
}

/**
 * Say why a click on the board makes no move, unless the engine is just about to answer.
 *
 * @param {App} app
 * @param {import("../link/messages.js").Table} table
 */
function sayWhy(app, table) {
  if (table.counting) return;
  if (isOver(table)) app.toast({ key: "over", text: "The game is over." }, false);
  else if (isPast(table)) app.toast({ key: "past", text: "The engine is to move here." }, false);
}

/**
 * Whether moves of the game follow the position that is shown.
 *
 * @param {import("../link/messages.js").Table} table
 */
export function isPast(table) {
  return Boolean(table.tree.nodes[table.cursor]?.children.length);
}

/** @param {App} app */
export function pass(app) {
  if (mayPlay(app)) makeMove(app, "pass", true);
}

/**
 * @param {App} app
 * @param {string} move
 * @param {boolean} atOnce
 */
function makeMove(app, move, atOnce) {
  const table = app.table.shown();
  const position = app.position();
  if (!table || !position) return;
  const at = app.table.knows(table.cursor) ? { at: table.cursor } : {};
  const seq = app.send({ do: "play", move, ...at });
  if (atOnce) app.table.addMove(seq, [position.toPlay, move]);
  app.fit();
}

/**
 * @param {App} app
 * @param {NodeId | null | undefined} node
 */
export function goTo(app, node) {
  const table = app.table.shown();
  if (!table || node === null || node === undefined || node === table.cursor) return;
  if (table.counting) {
    app.toast({ key: "counting", text: "The game is being counted." }, true);
    return;
  }
  if (!(node in table.tree.nodes)) return;
  const seq = app.table.knows(node) ? app.send({ do: "goto", node }) : app.connection.seq;
  app.table.setCursor(seq, node);
  app.fit();
}

/**
 * @param {App} app
 * @param {number} steps
 */
export function step(app, steps) {
  goTo(app, app.table.target(steps));
}

/** @param {App} app */
export function toStart(app) {
  const table = app.table.shown();
  if (table) goTo(app, first(table.tree, table.cursor));
}

/** @param {App} app */
export function toEnd(app) {
  const table = app.table.shown();
  if (table) goTo(app, last(table.tree, table.cursor));
}

/**
 * @param {App} app
 * @param {1 | -1} direction
 */
export function variation(app, direction) {
  const table = app.table.shown();
  if (table) goTo(app, sibling(table.tree, table.cursor, direction));
}

/**
 * Let the other kind of player go on with a colour: the engine for a person, a person for the engine.
 *
 * @param {App} app
 * @param {import("../link/messages.js").Colour} colour
 */
export function changeSides(app, colour) {
  const table = app.table.shown();
  if (!table) return;
  const engine = engineOf(app.state.options.game ?? firstGame(app.state.hello, currentLanguage()));
  /** @type {import("../link/messages.js").Player} */
  const next = table.players[colour].kind === "engine" ? { kind: "human" } : engine;
  const players = { ...table.players, [colour]: next };
  app.send({ do: "set_players", black: players.B, white: players.W });
}

/** @param {App} app */
export function undo(app) {
  const table = app.table.shown();
  if (table && mayUndo(table)) app.send({ do: "undo" });
}

/**
 * Whether there is a move to take back: one of a person's, or any where nobody plays alone.
 *
 * @param {import("../link/messages.js").Table} table
 */
export function mayUndo(table) {
  const { B, W } = table.players;
  const alone = B.kind === W.kind ? null : B.kind === "human" ? "B" : "W";
  return pathTo(table.tree, table.cursor).some((id) => {
    const move = table.tree.nodes[id]?.move;
    return move && (alone === null || move[0] === alone);
  });
}

/** Moves of an unfinished game from which on it is not thrown away without a question. */
const WORTH_ASKING = 10;

/**
 * Do what replaces the game, after a question where something of the user's would be lost.
 *
 * @param {App} app
 * @param {() => void} act
 */
export function replaceGame(app, act) {
  const table = app.table.shown();
  const nodes = table ? Object.values(table.tree.nodes) : [];
  const running = table?.playing && !table.result && nodes.length > WORTH_ASKING;
  if (!running && !nodes.some(isWork)) return act();
  return app.update({ dialog: "sure", sure: { text: t("sure.game"), act } });
}

/**
 * Delete the shown move and what follows, after a question where that is more than a line's end.
 *
 * @param {App} app
 */
export function deleteFromHere(app) {
  const table = app.table.shown();
  if (!table) return;
  const { cursor: node, tree } = table;
  const gone = belowAll(tree, node);
  const act = () => void app.send({ do: "delete", node });
  if (gone.length <= 3 && !gone.some((id) => tree.nodes[id] && isWork(tree.nodes[id]))) act();
  else app.update({ dialog: "sure", sure: { text: t("sure.delete", { moves: gone.length }), act } });
}

/**
 * @param {import("../link/messages.js").Node | undefined} node
 * @returns {boolean} whether somebody has written or tried something here
 */
function isWork(node) {
  return Boolean(node && (node.comment || node.children.length > 1 || Object.keys(node.marks ?? {}).length));
}

/**
 * @param {App} app
 * @param {string} name a request without fields: hint, count, resign, engine_move ...
 */
export function ask(app, name) {
  app.send({ do: name });
}

/**
 * @param {App} app
 * @param {boolean} [on] the other way if it is left out
 */
export function analyse(app, on) {
  const table = app.table.shown();
  if (!table) return;
  const wanted = on ?? !table.analysing.on;
  app.send({ do: "analyse", on: wanted, visits: app.state.options.visits, ownership: true });
  if (!wanted) app.update({ analysis: null });
}

/** Points lost from which a move of a review is listed as a mistake. */
const MISTAKE = 1.5;

/**
 * @param {import("../link/messages.js").Review | null} review
 * @returns {import("../link/messages.js").Mistake[]} moves that lost something, the costliest first
 */
export function mistakesOf(review) {
  return (review?.summary?.mistakes ?? []).filter(({ lost }) => lost >= MISTAKE);
}

/**
 * Go to the next mistake of the review, or the one before.
 *
 * @param {App} app
 * @param {1 | -1} direction
 */
export function mistake(app, direction) {
  const table = app.table.shown();
  const mistakes = mistakesOf(app.state.review);
  if (!table || !mistakes.length) return;
  const number = moveNumber(table.tree, table.cursor);
  const sorted = [...mistakes].sort((a, b) => (a.number - b.number) * direction);
  const next = sorted.find((one) => (one.number - number) * direction > 0);
  goTo(app, next?.node);
}

/**
 * @param {App} app
 * @param {Vertex} vertex
 */
export function toggleDead(app, vertex) {
  const table = app.table.shown();
  if (table && app.position()?.board.get(vertex)) {
    app.send({ do: "toggle_dead", point: wordOf(vertex, table.size) });
  }
}

/**
 * Set the chosen mark on a point, or take the same mark away.
 *
 * @param {App} app
 * @param {Vertex} vertex
 */
export function mark(app, vertex) {
  const table = app.table.shown();
  const { tool } = app.state;
  if (!table || !tool) return;
  const word = wordOf(vertex, table.size);
  const marks = { ...table.tree.nodes[table.cursor]?.marks };
  const value = tool === "label" || tool === "number" ? nextLabel(marks, tool) : tool;
  const same = marks[word] === value || (marks[word] && value !== tool);
  if (same) delete marks[word];
  else marks[word] = value;
  app.send({ do: "annotate", node: table.cursor, marks });
}

/**
 * @param {Record<string, string>} marks
 * @param {"label" | "number"} kind
 * @returns {string} the first free letter or number
 */
export function nextLabel(marks, kind) {
  const taken = new Set(Object.values(marks));
  for (let n = 1; ; n++) {
    const label = kind === "number" || n > 26 ? String(n) : String.fromCharCode(64 + n);
    if (!taken.has(label)) return label;
  }
}
