/**
 * The table as the page shows it: the server's state, and on top of it what the page did itself and
 * the server has not worked off yet (moves and the cursor), so that nothing waits for the network.
 */

import { childWith, walk } from "./tree.js";

/** @typedef {import("../link/messages.js").Table} Table */
/** @typedef {import("../link/messages.js").TablePatch} TablePatch */
/** @typedef {import("../link/messages.js").Node} Node */
/** @typedef {import("../link/messages.js").NodeId} NodeId */
/** @typedef {import("../link/messages.js").Colour} Colour */
/** @typedef {import("../link/messages.js").Word} Word */
/** @typedef {{seq: number, id: NodeId, parent: NodeId, move: [Colour, Word]}} OwnMove */

export class TableState {
  constructor() {
    /** @type {Table | null} */
    this.server = null;
    /** @type {OwnMove[]} */
    this.moves = [];
    /** @type {{seq: number, node: NodeId} | null} */
    this.cursor = null;
    /** @type {Table | null} */
    this.cached = null;
    this.made = 0;
  }

  /** @param {Table} table the whole state */
  receive(table) {
    this.server = table;
    this.settle(table.seen);
  }

  /**
   * @param {TablePatch} patch
   * @returns {boolean} false if a version is missing, so that the whole state has to be asked for
   */
  patch({ nodes, ...rest }) {
    if (!this.server) return false;
    if (rest.version < this.server.version) return true;
    if (rest.version > this.server.version + 1) return false;
    const tree = { ...this.server.tree, nodes: { ...this.server.tree.nodes } };
    for (const [id, node] of Object.entries(nodes ?? {})) {
      if (node) tree.nodes[id] = node;
      else delete tree.nodes[id];
    }
    this.server = { ...this.server, ...rest, tree };
    this.settle(rest.seen);
    return true;
  }

  /**
   * Drop what the server has worked off.
   *
   * @param {number | undefined} seen the last request of this page that the server's state contains
   */
  settle(seen = -1) {
    const tree = this.server?.tree;
    this.moves = this.moves.filter(
      ({ seq, parent, move }) => seq > seen && !(tree && childWith(tree, parent, move)),
    );
    if (this.cursor && (this.cursor.seq <= seen || this.cursor.node === this.server?.cursor)) {
      this.cursor = null;
    }
    const gone = this.cursor && !this.moves.some(({ id }) => id === this.cursor?.node);
    if (gone && !tree?.nodes[this.cursor?.node ?? ""]) this.cursor = null;
    this.cached = null;
  }

  /** @param {number} seq the request that was refused */
  refuse(seq) {
    this.moves = this.moves.filter((move) => move.seq !== seq);
    if (this.cursor?.seq === seq) this.cursor = null;
    this.settle();
  }

  /**
   * Show a move before the server has heard of it.
   *
   * @param {number} seq the request
   * @param {[Colour, Word]} move after the cursor
   */
  addMove(seq, move) {
    const shown = this.shown();
    if (!shown) return;
    const there = childWith(shown.tree, shown.cursor, move);
    if (!there) {
      this.made += 1;
      const id = `~${this.made}`;
      this.moves.push({ seq, id, parent: shown.cursor, move });
      this.setCursor(seq, id);
    } else {
      this.setCursor(seq, there);
    }
  }

  /**
   * @param {number} seq the request
   * @param {NodeId} node
   */
  setCursor(seq, node) {
    this.cursor = { seq, node };
    this.cached = null;
  }

  /**
   * @param {NodeId} id
   * @returns {boolean} whether the server knows the node
   */
  knows(id) {
    return id in (this.server?.tree.nodes ?? {});
  }

  /** @returns {Table | null} what the page shows */
  shown() {
    if (!this.server || this.cached) return this.cached;
    if (!this.moves.length && !this.cursor) return (this.cached = this.server);
    const tree = { ...this.server.tree, nodes: { ...this.server.tree.nodes } };
    for (const { id, parent, move } of this.moves) {
      const above = tree.nodes[parent];
      if (!above) continue;
      tree.nodes[parent] = { ...above, children: [...above.children, id] };
      tree.nodes[id] = { parent, children: [], move };
    }
    const wanted = this.cursor?.node ?? this.server.cursor;
    const cursor = wanted in tree.nodes ? wanted : this.server.cursor;
    return (this.cached = { ...this.server, tree, cursor });
  }

  /**
   * @param {number} steps forwards or backwards from the shown cursor
   * @returns {NodeId | null}
   */
  target(steps) {
    const shown = this.shown();
    return shown && walk(shown.tree, shown.cursor, steps);
  }
}
