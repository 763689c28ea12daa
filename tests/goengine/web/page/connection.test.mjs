import assert from "node:assert/strict";
import test from "node:test";

import { Connection, pause } from "../../../../goengine/web/static/js/link/connection.js";
import { tableOf } from "./trees.mjs";

/** A WebSocket that the test plays the server of. */
class Socket {
  constructor() {
    this.readyState = 1;
    this.sent = [];
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
  drop() {
    this.readyState = 3;
    this.onclose();
  }
}

function linked() {
  const sockets = [];
  const states = [];
  const messages = [];
  const connection = new Connection(
    "ws://here/ws",
    { message: (message) => messages.push(message), state: (state) => states.push(state) },
    () => {
      sockets.push(new Socket());
      return sockets.at(-1);
    },
  );
  connection.connect();
  return { connection, sockets, states, messages };
}

/** @param {Socket} socket */
function greet(socket, seen = -1) {
  socket.onopen();
  socket.say({ event: "table", ...tableOf([]), seen });
}

test("pauses grow and are bounded", () => {
  const pauses = [1, 2, 3, 4, 5, 6, 7, 20].map(pause);
  assert.deepEqual(pauses.slice(0, 3), [500, 1000, 2000]);
  assert.equal(Math.max(...pauses), 15_000);
});

test("hello comes first, and what was asked for before the first table waits", () => {
  const { connection, sockets } = linked();
  assert.equal(connection.send({ do: "goto", node: "1" }), 1);
  sockets[0].onopen();
  assert.deepEqual(sockets[0].sent, [{ do: "hello" }]);
  sockets[0].say({ event: "table", ...tableOf([]) });
  assert.deepEqual(sockets[0].sent[1], { do: "goto", node: "1", seq: 1 });
});

test("a lost connection is told and tried again; moves without an answer are sent again", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { connection, sockets, states } = linked();
  greet(sockets[0]);
  connection.send({ do: "play", move: "D4", at: "0" });
  connection.send({ do: "undo" });
  connection.send({ do: "play", move: "E5", at: "0" });
  sockets[0].say({ event: "tree_patch", version: 2, nodes: {}, seen: 1 });
  sockets[0].drop();
  assert.equal(states.at(-1).status, "lost");
  connection.send({ do: "annotate", comment: "written meanwhile" });
  t.mock.timers.tick(499);
  assert.equal(sockets.length, 1);
  t.mock.timers.tick(1);
  assert.equal(sockets.length, 2);
  greet(sockets[1]);
  assert.equal(states.at(-1).status, "open");
  assert.deepEqual(
    sockets[1].sent.map((request) => request.do),
    ["hello", "play", "annotate"],
  );
  assert.equal(sockets[1].sent[1].move, "E5");
});

test("a second failure waits longer than the first", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets } = linked();
  sockets[0].drop();
  t.mock.timers.tick(500);
  sockets[1].drop();
  t.mock.timers.tick(999);
  assert.equal(sockets.length, 2);
  t.mock.timers.tick(1);
  assert.equal(sockets.length, 3);
});

test("answers of the analysis protocol and broken text are passed over", () => {
  const { sockets, messages } = linked();
  greet(sockets[0]);
  sockets[0].say({ id: "q", turnNumber: 1 });
  sockets[0].onmessage({ data: "{" });
  sockets[0].onmessage({ data: new ArrayBuffer(2) });
  assert.equal(messages.length, 1);
});
