import assert from "node:assert/strict";
import test from "node:test";

import * as actions from "../../../../goengine/web/static/js/shell/actions.js";
import { moveSentence, pointSentence } from "../../../../goengine/web/static/js/shell/announcer.js";
import { App } from "../../../../goengine/web/static/js/shell/app.js";
import { BINDINGS, crossKey, keyOf } from "../../../../goengine/web/static/js/shell/keyboard.js";
import { keepView, keptView } from "../../../../goengine/web/static/js/shell/options.js";
import { listenForSounds } from "../../../../goengine/web/static/js/shell/sounds.js";
import { loadLanguage } from "../../../../goengine/web/static/js/strings/index.js";
import { tableOf } from "./trees.mjs";

/** A page at a table, and what it has sent; nothing is drawn. */
function pageAt(lines, more = {}) {
  const sent = [];
  const socket = { readyState: 1, send: (text) => sent.push(JSON.parse(text)) };
  const app = new App("ws://here/ws", () => socket);
  app.connection.connect();
  socket.onopen();
  const hear = (event, fields) => socket.onmessage({ data: JSON.stringify({ event, ...fields }) });
  hear("table", { ...tableOf(lines, more), seen: -1 });
  sent.length = 0;
  return { app, sent, hear };
}

const press = (app, key) => BINDINGS.find(({ keys }) => keys.includes(key)).act(app);

test("an empty table asks for a game, a game that goes on does not", () => {
  assert.equal(pageAt([], { playing: false }).app.state.dialog, "new");
  assert.equal(pageAt(["B D4"], { playing: false }).app.state.dialog, null);
  assert.equal(pageAt([]).app.state.dialog, null);
});

test("a click plays at once for a person, and nothing for the engine or after the end", () => {
  const { app, sent } = pageAt([]);
  actions.playAt(app, [3, 3]);
  assert.deepEqual(sent, [{ do: "play", move: "D6", at: "0", seq: 1 }]);
  assert.equal(app.position().board.get([3, 3]), 1);
  actions.playAt(app, [4, 4]);
  assert.equal(sent.length, 1);
  const over = pageAt([], { result: "B+R", reason: "resign" });
  actions.playAt(over.app, [3, 3]);
  assert.equal(over.sent.length, 0);
  over.app.update({ view: "study" });
  actions.playAt(over.app, [3, 3]);
  assert.equal(over.sent.length, 1);
});

test("what is not plainly legal is left to the server's rules", () => {
  const { app, sent } = pageAt(["B A2 W J9 B B1"], { cursor: "3" });
  app.update({ view: "study" });
  actions.playAt(app, [0, 8]);
  assert.equal(sent[0].move, "A1");
  assert.equal(app.position().board.get([0, 8]), 0);
});

test("the start of the engine is told until it is ready", () => {
  const { app, hear } = pageAt([]);
  hear("starting", { stage: "kernels", text: "compiling", seconds_left: 20, done: 0.2 });
  assert.equal(app.state.starting.seconds_left, 20);
  hear("starting", { stage: "ready", text: "", done: 1 });
  assert.equal(app.state.starting, null);
});

test("an analysis of another node is not shown; a node's own values are, where there is no live one", () => {
  const { app, hear } = pageAt(["B D4"]);
  const candidates = [{ move: "E5", pv: ["E5"], visits: 9 }];
  hear("analysis", { node: "0", visits: 9, winrate: 0.5, lead: 0, candidates });
  assert.equal(app.analysis().visits, 9);
  actions.step(app, 1);
  assert.equal(app.analysis(), null);
  const node = { parent: "0", children: [], move: ["B", "D4"], values: { winrate: 0.4, lead: 1, visits: 50, candidates } };
  hear("tree_patch", { version: 2, nodes: { 1: node }, cursor: "1", seen: 1 });
  assert.equal(app.analysis().visits, 50);
});

test("a missing change makes the page ask for the whole table", () => {
  const { sent, hear } = pageAt(["B D4"]);
  hear("tree_patch", { version: 9, nodes: {}, seen: -1 });
  assert.deepEqual(sent, [{ do: "hello" }]);
});

test("keys walk, pass, undo, analyse and let the engine move", () => {
  const { app, sent } = pageAt(["B D4 W E5 B F6", "B D4 W G7"]);
  for (const key of ["ArrowRight", "ArrowRight", "ArrowDown", "Home", "End", "ArrowLeft", "u", " ", "Enter"]) press(app, key);
  assert.deepEqual(
    sent.map(({ do: name, node }) => node ?? name),
    ["1", "2", "4", "0", "3", "2", "undo", "analyse", "engine_move"],
  );
  press(app, "p");
  assert.equal(sent.at(-1).move, "pass");
  press(app, "n");
  assert.equal(app.state.dialog, "new");
});

test("the cursor on the board stops at the rim and plays", () => {
  const { app, sent } = pageAt([]);
  assert.ok(!crossKey(app, "Enter"));
  app.update({ cross: [0, 0] });
  crossKey(app, "ArrowLeft");
  crossKey(app, "ArrowDown");
  assert.deepEqual(app.state.cross, [0, 1]);
  crossKey(app, " ");
  assert.equal(sent[0].move, "A8");
  assert.ok(!crossKey(app, "p"));
});

test("marks are set, taken away and numbered", () => {
  const { app, sent } = pageAt(["B D4"]);
  app.update({ tool: "square", view: "study" });
  actions.mark(app, [0, 0]);
  assert.deepEqual(sent[0].marks, { A9: "square" });
  app.table.server.tree.nodes["0"].marks = { A9: "square", B9: "A" };
  actions.mark(app, [0, 0]);
  assert.deepEqual(sent[1].marks, { B9: "A" });
  app.update({ tool: "label" });
  actions.mark(app, [2, 0]);
  assert.equal(sent[2].marks.C9, "B");
});

test("mistakes are walked through in the order of the game, trifles left out", () => {
  const { app, hear } = pageAt(["B D4 W E5 B F6 W G7"]);
  const mistakes = [
    { node: "3", number: 3, lost: 9 },
    { node: "1", number: 1, lost: 2 },
    { node: "2", number: 2, lost: 0.1 },
  ];
  hear("review", { done: 4, total: 4, running: false, summary: { B: {}, W: {}, mistakes } });
  press(app, "e");
  assert.equal(app.table.shown().cursor, "1");
  press(app, "e");
  assert.equal(app.table.shown().cursor, "3");
  press(app, "E");
  assert.equal(app.table.shown().cursor, "1");
});

test("every move is said, with what it takes, and points tell their liberties", async () => {
  await loadLanguage("en");
  const { app } = pageAt(["B B1 W A1 B A2"]);
  assert.equal(moveSentence(app), "Start of the game. Black to move.");
  actions.toEnd(app);
  assert.equal(moveSentence(app), "Move 3: Black A2. Captured stones: 1.");
  assert.equal(pointSentence(app, [0, 7]), "A2, Black, liberties: 3");
  assert.equal(pointSentence(app, [0, 8]), "A1, empty");
});

test("a new move sounds, a walk does not", () => {
  const { app } = pageAt(["B D4 W E5"]);
  const heard = [];
  const record = (name) => (value) => heard.push(name === "captures" ? `${name} ${value}` : name);
  listenForSounds(app, { stone: record("stone"), captures: record("captures"), pass: record("pass"), end: record("end") });
  app.update({ view: "study" });
  actions.step(app, 1);
  actions.step(app, 1);
  assert.deepEqual(heard, []);
  actions.playAt(app, [0, 0]);
  assert.deepEqual(heard, ["stone", "captures 0"]);
  actions.pass(app);
  assert.equal(heard.at(-1), "pass");
  app.choose({ sound: false });
  actions.playAt(app, [1, 0]);
  assert.equal(heard.length, 3);
});

test("the engine takes a side over with the strength of the last game, and gives it back", () => {
  const { app, sent } = pageAt([]);
  app.choose({ game: { ...app.state.options.game, limit: "seconds", seconds: 5 } });
  actions.changeSides(app, "B");
  assert.deepEqual(sent[0].black, { kind: "engine", seconds: 5 });
  assert.deepEqual(sent[0].white, { kind: "engine", visits: 50 });
  actions.changeSides(app, "W");
  assert.deepEqual(sent[1].white, { kind: "human" });
});

test("an input method, caps lock and shift leave a letter key what it is", () => {
  assert.equal(keyOf({ key: "ㅔ", code: "KeyP", shiftKey: false }), "p");
  assert.equal(keyOf({ key: "Process", code: "KeyN", shiftKey: false }), "n");
  assert.equal(keyOf({ key: "P", code: "KeyP", shiftKey: false }), "p");
  assert.equal(keyOf({ key: "ㄸ", code: "KeyE", shiftKey: true }), "E");
  assert.equal(keyOf({ key: "p", code: "KeyR", shiftKey: false }), "p");
  assert.equal(keyOf({ key: "ArrowLeft", code: "ArrowLeft", shiftKey: false }), "ArrowLeft");
  assert.equal(keyOf({ key: "Process", code: "Slash", shiftKey: true }), "?");
});

test("keys that walk leave a count alone", () => {
  const counting = { dead: [], area: [], score: "B+1" };
  const { app, sent } = pageAt(["B D4 W E5"], { cursor: "2", counting });
  press(app, "ArrowLeft");
  press(app, "ArrowLeft");
  assert.equal(sent.length, 0);
  assert.deepEqual(app.state.toasts.map(({ text }) => text.key), ["counting"]);
});

test("what somebody wrote is not replaced or deleted without a question", () => {
  const { app, sent } = pageAt(["B D4 W E5"], { cursor: "1" });
  actions.deleteFromHere(app);
  assert.equal(sent.at(-1).do, "delete");
  app.table.server.tree.nodes["2"].comment = "a thought";
  let replaced = 0;
  for (const act of [() => actions.deleteFromHere(app), () => actions.replaceGame(app, () => (replaced += 1))]) {
    app.update({ dialog: null });
    act();
    assert.equal(app.state.dialog, "sure");
  }
  assert.deepEqual([sent.length, replaced], [1, 0]);
  app.state.sure.act();
  assert.equal(replaced, 1);
});

test("there is something to undo once a person has moved", () => {
  const { app, sent } = pageAt(["W E5 B D4"], { cursor: "1" });
  app.table.server.players = { B: { kind: "human" }, W: { kind: "engine" } };
  press(app, "u");
  assert.equal(sent.length, 0);
  actions.toEnd(app);
  press(app, "u");
  assert.equal(sent.at(-1).do, "undo");
});

test("a position with stones set up does not ask for a game, and the view outlives a reload", () => {
  const table = tableOf([], { playing: false });
  table.tree.nodes["0"].setup = { B: ["D4"] };
  const app = new App("ws://here/ws", () => ({}));
  app.hear({ event: "table", ...table, seen: -1 });
  assert.equal(app.state.dialog, null);
  const kept = new Map();
  const session = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  assert.equal(keptView(session), "play");
  keepView(session, "study");
  assert.equal(keptView(session), "study");
});
