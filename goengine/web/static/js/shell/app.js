/** The one state of the page: what the server said, what the user has chosen, what is on screen. */

import { Connection } from "../link/connection.js";
import { Positions } from "../state/position.js";
import { TableState } from "../state/table.js";
import { browserStorage, keepView, keptView, loadOptions, saveOptions } from "./options.js";

/** @typedef {import("../link/messages.js").Message} Message */
/** @typedef {import("../link/messages.js").Request} Request */
/** @typedef {import("../link/messages.js").Table} Table */
/** @typedef {import("../link/messages.js").Word} Word */
/** @typedef {import("../state/coords.js").Vertex} Vertex */
/** @typedef {import("../state/position.js").Position} Position */
/** @typedef {import("./options.js").Options} Options */
/** @typedef {"play" | "study" | "inside"} View */
/** @typedef {"new" | "help" | "settings" | "paste" | "resign" | "sure"} DialogName */
/** @typedef {"circle" | "square" | "triangle" | "cross" | "label" | "number"} Tool */
/**
 * @typedef {object} State
 * @property {import("../link/connection.js").LinkState} link
 * @property {import("../link/messages.js").Hello | null} hello
 * @property {import("../link/messages.js").Starting | null} starting
 * @property {import("../link/messages.js").Analysis | null} analysis
 * @property {import("../link/messages.js").Hint | null} hint
 * @property {import("../link/messages.js").Review | null} review
 * @property {import("../link/messages.js").Planes | null} planes
 * @property {{id: number, text: import("../link/messages.js").Notice, bad: boolean}[]} toasts
 * @property {View} view
 * @property {DialogName | null} dialog
 * @property {{text: string, act: () => void} | null} sure what is done once the user has agreed
 * @property {Word[] | null} variation moves shown on the board while one points at a candidate
 * @property {Word[] | null} pinned the variation that a click has asked for, shown until another one
 * @property {number | null} plane the plane laid over the board
 * @property {Vertex | null} cross the keyboard's cursor on the board
 * @property {Tool | null} tool the mark that a click on the board sets
 * @property {Options} options
 */

export class App {
  /**
   * @param {string} url the WebSocket's
   * @param {(url: string) => WebSocket} [open]
   */
  constructor(url, open) {
    this.storage = browserStorage("localStorage");
    this.session = browserStorage("sessionStorage");
    this.table = new TableState();
    this.positions = new Positions();
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    /** @type {Set<(message: Message) => void>} */
    this.hearers = new Set();
    this.toastId = 0;
    /** @type {string | undefined} */
    this.shownNode = undefined;
    this.connection = new Connection(
      url,
      { message: (message) => this.hear(message), state: (link) => this.update({ link }) },
      open,
    );
    /** @type {State} */
    this.state = {
      link: this.connection.state,
      hello: null,
      starting: null,
      analysis: null,
      hint: null,
      review: null,
      planes: null,
      toasts: [],
      view: keptView(this.session),
      dialog: null,
      sure: null,
      variation: null,
      pinned: null,
      plane: null,
      cross: null,
      tool: null,
      options: loadOptions(this.storage),
    };
  }

  /** @param {Partial<State>} change */
  update(change) {
    if (change.view && change.view !== this.state.view) keepView(this.session, change.view);
    this.state = { ...this.state, ...change };
    this.changed();
  }

  changed() {
    for (const listener of this.listeners) listener();
  }

  /** @param {Partial<Options>} change */
  choose(change) {
    const options = { ...this.state.options, ...change };
    saveOptions(this.storage, options);
    this.update({ options });
  }

  /**
   * @param {Request} request
   * @returns {number} its number
   */
  send(request) {
    return this.connection.send(request);
  }

  /** @param {Message} message */
  hear(message) {
    for (const hearer of this.hearers) hearer(message);
    switch (message.event) {
      case "table":
        return this.receive(message);
      case "tree_patch":
        if (!this.table.patch(message)) this.connection.write({ do: "hello" });
        return this.fit();
      case "hello":
        return this.update({ hello: message, starting: message.ready ? null : this.state.starting });
      case "starting":
        return this.update({ starting: message.stage === "ready" ? null : message });
      case "analysis":
        return this.update({ analysis: message });
      case "hint":
        return this.update({ hint: message });
      case "review":
        return this.update({ review: message });
      case "planes":
        return this.update({ planes: message });
      case "error":
        if (message.seq !== undefined) this.table.refuse(message.seq);
        return this.toast(message, true);
      case "notice":
        return this.toast(message, false);
    }
  }

  /** @param {Table} table the first of the page asks for a game if it is an empty one */
  receive(table) {
    const root = this.table.server?.tree.root;
    const size = this.table.server?.size;
    this.table.receive(table);
    if (root !== undefined && (root !== table.tree.root || size !== table.size)) {
      this.state = { ...this.state, review: null, planes: null, plane: null, cross: null };
      this.positions = new Positions();
    }
    const nodes = Object.values(table.tree.nodes);
    if (root === undefined && !table.playing && nodes.length === 1 && !nodes[0]?.setup) {
      this.state = { ...this.state, dialog: "new" };
    }
    this.fit();
  }

  /** Drop what belongs to another node than the one that is shown. */
  fit() {
    const cursor = this.table.shown()?.cursor;
    const { analysis, hint, planes } = this.state;
    const same = this.shownNode === cursor;
    this.shownNode = cursor;
    this.update({
      analysis: analysis?.node === cursor ? analysis : null,
      hint: hint?.node === cursor ? hint : null,
      planes: planes?.node === cursor ? planes : null,
      variation: same ? this.state.variation : null,
      pinned: same ? this.state.pinned : null,
    });
  }

  /**
   * @param {import("../link/messages.js").Notice} text
   * @param {boolean} bad
   */
  toast(text, bad) {
    this.toastId += 1;
    const toast = { id: this.toastId, text, bad };
    const others = this.state.toasts.filter((one) => one.text.key !== text.key || one.text.text !== text.text);
    this.update({ toasts: [...others.slice(-2), toast] });
  }

  /** @param {number} id */
  closeToast(id) {
    this.update({ toasts: this.state.toasts.filter((toast) => toast.id !== id) });
  }

  /**
   * @returns {import("../link/messages.js").Analysis | null} the live analysis of the shown node, or
   *   what an earlier one or the review has left there
   */
  analysis() {
    const table = this.table.shown();
    if (!table || this.state.analysis) return this.state.analysis;
    const values = table.tree.nodes[table.cursor]?.values;
    if (!values) return null;
    const { visits = 0, winrate, lead, candidates = [] } = values;
    return { node: table.cursor, visits, winrate, lead, candidates };
  }

  /** @returns {Position | null} what stands on the board at the shown cursor */
  position() {
    const table = this.table.shown();
    return table && this.positions.at(table.tree, table.cursor, table.size);
  }
}
