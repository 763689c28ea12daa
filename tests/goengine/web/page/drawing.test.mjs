import assert from "node:assert/strict";
import test from "node:test";

import * as data from "../../../../goengine/web/static/js/board/overlay_data.js";
import { clockText, timeLeft } from "../../../../goengine/web/static/js/panels/clock.js";
import {
  areaPath,
  graphPoints,
  leadRange,
  linePath,
} from "../../../../goengine/web/static/js/study/graph_data.js";
import { layOut } from "../../../../goengine/web/static/js/study/tree_layout.js";
import { tableOf } from "./trees.mjs";

test("every class of moves has a name, and shapes tell good from bad without colours", () => {
  assert.equal(data.classOf(0).name, "best");
  assert.equal(data.classOf(1).name, "good");
  assert.equal(data.classOf(100).name, "bad");
  const worse = data.CLASSES.slice(1).map(({ shape }) => shape);
  assert.equal(new Set(worse).size, worse.length);
});

test("values of Black's are turned to the player to move", () => {
  const one = { move: "D4", order: 0, visits: 1234, winrate: 0.3, lead: -2.5, lost: 0, prior: 0, pv: [] };
  assert.equal(data.candidateText(one, "W", "winrate"), "70");
  assert.equal(data.candidateText(one, "B", "lead"), "−2.5");
  assert.equal(data.candidateText(one, "W", "lead"), "2.5");
  assert.equal(data.candidateText({ ...one, lead: 0.01 }, "W", "lead"), "0.0");
  assert.equal(data.candidateText(one, "W", "visits"), "1.2k");
  assert.equal(data.candidateText({ ...one, lost: 1.26 }, "W", "lost"), "1.3");
  assert.equal(data.candidateText({ ...one, lost: 0, lead: 1 }, "B", "lost", 0.2), "+0.8");
  assert.equal(data.candidateText({ ...one, lost: 0, lead: 1 }, "W", "lost", 0.2), "0");
  assert.equal(data.countText(1000), "1k");
  assert.equal(data.leadText(-3.45), "W+3.5");
  assert.equal(data.leadText(0.01), "0.0");
});

test("a variation alternates colours, leaves passes out and numbers what is left", () => {
  const stones = data.variationStones(["D4", "pass", "E5", "D4"], "W", 9);
  assert.deepEqual(
    stones.map(({ colour, number }) => [colour, number]),
    [
      ["W", 1],
      ["W", 3],
    ],
  );
});

test("the policy shows legal moves with a share, and ownership what is somebody's", () => {
  const policy = [...Array(81).fill(-1), 0.5];
  policy[0] = 0.4;
  policy[80] = 0.2;
  const points = data.policyPoints(policy, 9);
  assert.deepEqual(points.map(({ vertex, share }) => [vertex, share]), [
    [[0, 0], 1],
    [[8, 8], 0.5],
  ]);
  const owned = data.ownedPoints([0.05, -0.9, 1, 0], 2);
  assert.deepEqual(owned.map(({ colour }) => colour), ["W", "B"]);
  const dead = data.ownedPoints([0.05, -0.9, 1, 0], 2, [[0, 1], [1, 0]]);
  assert.deepEqual(dead.map(({ colour }) => colour), ["W"]);
});

test("the later move on a point gives its number", () => {
  const { tree } = tableOf(["B D4 W E5 B D4"]);
  assert.equal(data.moveNumbers(tree, "3", 9).get("3,5"), 3);
});

test("the graph follows the line through the cursor and leaves gaps", () => {
  const table = tableOf(["B D4 W E5 B F6", "B D4 W G7"]);
  table.tree.nodes["1"].values = { winrate: 0.6, lead: 2 };
  const points = graphPoints(table.tree, "4", { node: "4", winrate: 0.4, lead: -7 });
  assert.deepEqual(points.map(({ node }) => node), ["0", "1", "4"]);
  assert.deepEqual(points.map(({ winrate }) => winrate), [null, 0.6, 0.4]);
  assert.equal(leadRange(points), 10);
  assert.equal(linePath([null, 0.5, 1], 100, 10), "M50.0 5.0L100.0 10.0");
  assert.equal(linePath([0, null, 1], 100, 10), "M0.0 0.0M100.0 10.0");
  assert.equal(areaPath([null, 0.5, null], 100, 10), "");
  assert.match(areaPath([0, null, 1], 100, 10), /^M0\.0 10L0\.0 0\.0L100\.0 10\.0L100\.0 10Z$/);
});

test("no two nodes of a tree are drawn in one place, and every variation is below its parent", () => {
  const words = [..."ABCDEFGHJ"];
  let seed = 7;
  const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  const lines = Array.from({ length: 60 }, () =>
    Array.from({ length: 3 + random(8) }, (_, i) => `${i % 2 ? "W" : "B"} ${words[random(3)]}${1 + random(3)}`).join(" "),
  );
  const { tree } = tableOf(lines);
  const { places, columns, rows } = layOut(tree);
  assert.equal(places.size, Object.keys(tree.nodes).length);
  const taken = new Set();
  for (const { column, row, parent } of places.values()) {
    assert.ok(!taken.has(`${column},${row}`));
    taken.add(`${column},${row}`);
    assert.ok(column < columns && row < rows);
    assert.ok(!parent || (row >= parent.row && column === parent.column + 1));
  }
  assert.equal(places.get("1").row, 0);
});

test("a tree of thousands of moves is laid out without recursion", () => {
  const line = Array.from({ length: 5000 }, (_, i) => `${i % 2 ? "W" : "B"} pass`).join(" ");
  assert.equal(layOut(tableOf([line]).tree).columns, 5001);
});

const SETTINGS = { kind: "byoyomi", period: 30, periods: 3, stones: 0 };

test("main time runs into byo-yomi and periods are used up", () => {
  const clock = { running: "B", at: 0, now: 0, settings: SETTINGS, W: { main: 0, period: 12, periods: 1 } };
  clock.B = { main: 10, period: 0, periods: 3 };
  assert.deepEqual(timeLeft(clock, "B", 4), { seconds: 6, periods: 3, late: false });
  assert.deepEqual(timeLeft(clock, "B", 15), { seconds: 25, periods: 3, late: false });
  assert.deepEqual(timeLeft(clock, "B", 45), { seconds: 25, periods: 2, late: false });
  assert.deepEqual(timeLeft(clock, "B", 101), { seconds: 0, periods: 1, late: true });
  assert.deepEqual(timeLeft(clock, "W", 11), { seconds: 1, periods: 1, late: false });
  assert.ok(timeLeft(clock, "W", 12).late);
});

test("absolute time ends at once, Canadian time after its period", () => {
  const clock = { running: "B", at: 0, now: 0, settings: { ...SETTINGS, kind: "absolute", period: 0 } };
  clock.B = { main: 10, period: 0 };
  assert.ok(timeLeft(clock, "B", 10).late);
  clock.settings = { ...SETTINGS, kind: "canadian", period: 60 };
  clock.B = { main: 10, period: 0, stones: 5 };
  assert.deepEqual(timeLeft(clock, "B", 30), { seconds: 40, periods: undefined, late: false });
});

test("clocks are written as clocks are", () => {
  assert.equal(clockText(600), "10:00");
  assert.equal(clockText(61.2), "1:02");
  assert.equal(clockText(3723), "1:02:03");
  assert.equal(clockText(9.87), "9.8");
});
