import assert from "node:assert/strict";
import test from "node:test";

import { TableState } from "../../../../goengine/web/static/js/state/table.js";
import { tableOf } from "./trees.mjs";

/** @param {string[]} lines */
function stateOf(lines, more = {}) {
  const state = new TableState();
  state.receive(tableOf(lines, { seen: -1, ...more }));
  return state;
}

test("an own move is shown before the server has heard of it, and becomes the server's", () => {
  const state = stateOf([]);
  state.addMove(1, ["B", "D4"]);
  const shown = state.shown();
  assert.equal(shown.tree.nodes[shown.cursor].move[1], "D4");
  assert.ok(!state.knows(shown.cursor));
  const node = { parent: "0", children: [], move: ["B", "D4"] };
  const nodes = { 0: { parent: null, children: ["1"] }, 1: node };
  assert.ok(state.patch({ version: 2, nodes, cursor: "1", seen: 1 }));
  assert.equal(state.shown().cursor, "1");
  assert.equal(Object.keys(state.shown().tree.nodes).length, 2);
});

test("the engine's answer does not move back a cursor that went on in the meantime", () => {
  const state = stateOf(["B D4 W E5 B F6"]);
  state.setCursor(1, "1");
  state.setCursor(2, "2");
  state.patch({ version: 2, nodes: {}, cursor: "1", seen: 1 });
  assert.equal(state.shown().cursor, "2");
  state.patch({ version: 3, nodes: {}, cursor: "2", seen: 2 });
  assert.equal(state.shown().cursor, "2");
  state.patch({ version: 4, nodes: {}, cursor: "3", seen: 2 });
  assert.equal(state.shown().cursor, "3");
});

test("a refused move goes away", () => {
  const state = stateOf([]);
  state.addMove(1, ["B", "D4"]);
  state.refuse(1);
  assert.equal(state.shown().cursor, "0");
  assert.equal(Object.keys(state.shown().tree.nodes).length, 1);
});

test("a move that the tree has is visited, not added", () => {
  const state = stateOf(["B D4"]);
  state.addMove(1, ["B", "D4"]);
  assert.equal(state.shown().cursor, "1");
  assert.equal(state.moves.length, 0);
});

test("two own moves in a row stand upon each other", () => {
  const state = stateOf([]);
  state.addMove(1, ["B", "D4"]);
  state.addMove(2, ["W", "E5"]);
  const { tree, cursor } = state.shown();
  assert.equal(tree.nodes[tree.nodes[cursor].parent].move[1], "D4");
});

test("patches change nodes, remove them, and a missing one is noticed", () => {
  const state = stateOf(["B D4 W E5"]);
  const nodes = { 1: { parent: "0", children: [], move: ["B", "D4"] }, 2: null };
  assert.ok(state.patch({ version: 2, nodes, cursor: "1", seen: -1 }));
  assert.ok(!("2" in state.shown().tree.nodes));
  assert.ok(!state.patch({ version: 4, nodes: {}, seen: -1 }));
  assert.equal(state.shown().version, 2);
  assert.ok(!new TableState().patch({ version: 1, nodes: {} }));
});

test("an answer without a change settles what was asked", () => {
  const state = stateOf(["B D4"]);
  state.addMove(1, ["B", "C3"]);
  state.patch({ version: 1, nodes: {}, seen: 1 });
  assert.equal(state.shown().cursor, "0");
  assert.equal(Object.keys(state.shown().tree.nodes).length, 2);
});

test("a new game forgets a cursor in the old one", () => {
  const state = stateOf(["B D4 W E5"]);
  state.setCursor(5, "2");
  state.receive(tableOf([], { version: 7, seen: 3 }));
  assert.equal(state.shown().cursor, "0");
});
