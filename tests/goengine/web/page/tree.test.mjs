import assert from "node:assert/strict";
import test from "node:test";

import { isPass, vertexOf, wordOf } from "../../../../goengine/web/static/js/state/coords.js";
import { Positions, plainlyLegal } from "../../../../goengine/web/static/js/state/position.js";
import * as tree from "../../../../goengine/web/static/js/state/tree.js";
import { tableOf } from "./trees.mjs";

test("words and vertices are each other's inverse, and I is left out", () => {
  for (let x = 0; x < 19; x++) {
    for (let y = 0; y < 19; y++) assert.deepEqual(vertexOf(wordOf([x, y], 19), 19), [x, y]);
  }
  assert.equal(wordOf([8, 0], 19), "J19");
  assert.equal(vertexOf("I5", 19), null);
  assert.equal(vertexOf("K10", 9), null);
  assert.equal(vertexOf("pass", 19), null);
  assert.ok(isPass("PASS"));
});

test("walks follow the main line and stop at its ends", () => {
  const t = tableOf(["B D4 W E5 B F6", "B D4 W G7 B C3"]).tree;
  assert.deepEqual(tree.pathTo(t, "3"), ["0", "1", "2", "3"]);
  assert.deepEqual(tree.lineThrough(t, "4"), ["0", "1", "4", "5"]);
  assert.equal(tree.walk(t, "0", 2), "2");
  assert.equal(tree.walk(t, "0", 99), "3");
  assert.equal(tree.walk(t, "5", -99), "0");
  assert.equal(tree.moveNumber(t, "5"), 3);
  assert.equal(tree.last(t, "4"), "5");
  assert.equal(tree.childWith(t, "1", ["W", "g7"]), "4");
  assert.equal(tree.childWith(t, "1", ["B", "G7"]), undefined);
});

test("the neighbouring variation is found from deep inside one", () => {
  const t = tableOf(["B D4 W E5 B F6", "B D4 W G7 B C3", "B D4 W H8"]).tree;
  assert.equal(tree.sibling(t, "3", 1), "4");
  assert.equal(tree.sibling(t, "4", 1), "6");
  assert.equal(tree.sibling(t, "6", 1), "2");
  assert.equal(tree.sibling(t, "2", -1), "6");
  assert.equal(tree.sibling(t, "1", 1), "1");
  assert.ok(tree.onMainLine(t, "3"));
  assert.ok(!tree.onMainLine(t, "5"));
});

test("stones are captured, counted and set up", () => {
  const positions = new Positions();
  const capture = tableOf(["B B1 W A1 B A2"]);
  const after = positions.at(capture.tree, "3", 9);
  assert.equal(after.board.get([0, 8]), 0);
  assert.deepEqual(after.captures, { B: 1, W: 0 });
  assert.equal(after.toPlay, "W");
  assert.deepEqual(after.last, [0, 7]);
  const handicap = tableOf([]);
  handicap.tree.nodes["0"].setup = { B: ["C3", "G7"] };
  handicap.tree.nodes["0"].to_play = "W";
  const begun = positions.at(handicap.tree, "0", 9);
  assert.equal(begun.board.get([2, 6]), 1);
  assert.equal(begun.toPlay, "W");
});

test("a position that was worked out is kept, whatever its node is called", () => {
  const positions = new Positions();
  const table = tableOf(["B D4 W E5"]);
  const first = positions.at(table.tree, "2", 9);
  const { 2: node, ...nodes } = table.tree.nodes;
  assert.equal(positions.at({ root: "0", nodes: { ...nodes, "~1": node } }, "~1", 9), first);
  const other = tableOf(["B C3 W E5"]);
  assert.notEqual(positions.at(other.tree, "2", 9), first);
  assert.equal(positions.at(other.tree, "2", 9).board.get([3, 5]), 0);
});

test("ko, suicide and taken points are not plainly legal", () => {
  const positions = new Positions();
  const ko = tableOf(["B C4 W F4 B D5 W E5 B D3 W E3 B E4 W D4"]);
  const position = positions.at(ko.tree, "8", 9);
  assert.equal(position.board.get([4, 5]), 0);
  assert.ok(!plainlyLegal(position, [4, 5]));
  assert.ok(!plainlyLegal(position, [3, 5]));
  const eye = tableOf(["B A2 W J9 B B1"]);
  assert.ok(!plainlyLegal(positions.at(eye.tree, "3", 9), [0, 8]));
  assert.ok(plainlyLegal(positions.at(eye.tree, "3", 9), [4, 4]));
});
