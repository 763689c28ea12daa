/** The stones at a node of the tree, worked out with go-board and kept for the next look. */

import { GoBoard } from "../../vendor/goban.js";
import { isPass, other, signOf, vertexOf } from "./coords.js";
import { pathTo } from "./tree.js";

/** @typedef {import("../link/messages.js").Tree} Tree */
/** @typedef {import("../link/messages.js").Node} Node */
/** @typedef {import("../link/messages.js").NodeId} NodeId */
/** @typedef {import("../link/messages.js").Colour} Colour */
/** @typedef {import("./coords.js").Vertex} Vertex */
/**
 * @typedef {object} Position
 * @property {GoBoard} board
 * @property {number} number moves made
 * @property {Vertex | null} last point of the last move; null after a pass and at the root
 * @property {Colour} toPlay
 * @property {Record<Colour, number>} captures prisoners that each colour has taken
 */

/** Positions by what was played, not by node: a move keeps its position when the server names its node. */
export class Positions {
  constructor() {
    /** @type {Map<string, Position>} */
    this.first = new Map();
    /** @type {WeakMap<Position, Map<string, Position>>} */
    this.after = new WeakMap();
    /** @type {{tree: Tree, id: NodeId, size: number, position: Position} | null} */
    this.latest = null;
  }

  /**
   * @param {Tree} tree
   * @param {NodeId} id
   * @param {number} size
   * @returns {Position}
   */
  at(tree, id, size) {
    const { latest } = this;
    if (latest && latest.tree === tree && latest.id === id && latest.size === size) return latest.position;
    let position = /** @type {Position | null} */ (null);
    for (const step of pathTo(tree, id)) {
      const node = tree.nodes[step];
      if (node) position = this.next(position, node, size);
    }
    position ??= start(size);
    this.latest = { tree, id, size, position };
    return position;
  }

  /**
   * @param {Position | null} before
   * @param {Node} node
   * @param {number} size
   * @returns {Position} the one that is known, or a new one
   */
  next(before, node, size) {
    const known = (before ? this.after.get(before) : this.first) ?? new Map();
    if (before) this.after.set(before, known);
    const key = keyOf(node, size);
    const position = known.get(key) ?? follow(before, node, size);
    known.set(key, position);
    return position;
  }
}

/**
 * @param {Node} node
 * @param {number} size
 * @returns {string} all of a node that the stones depend on
 */
function keyOf(node, size) {
  const setup = node.setup ? JSON.stringify(node.setup) : "";
  return `${size} ${node.move?.join(" ") ?? ""} ${node.to_play ?? ""} ${setup}`;
}

/**
 * @param {number} size
 * @returns {Position}
 */
function start(size) {
  const board = GoBoard.fromDimensions(size);
  return { board, number: 0, last: null, toPlay: "B", captures: { B: 0, W: 0 } };
}

/**
 * @param {Position | null} before
 * @param {Node} node
 * @param {number} size
 * @returns {Position}
 */
function follow(before, node, size) {
  const position = before ?? start(size);
  let { board, number, toPlay } = position;
  let last = /** @type {Vertex | null} */ (null);
  if (node.setup) {
    board = board.clone();
    for (const [sign, words] of /** @type {const} */ ([
      [1, node.setup.B],
      [-1, node.setup.W],
      [0, node.setup.E],
    ])) {
      for (const word of words ?? []) {
        const vertex = vertexOf(word, size);
        if (vertex) board.set(vertex, sign);
      }
    }
  }
  if (node.move) {
    const [colour, word] = node.move;
    const vertex = vertexOf(word, size);
    last = isPass(word) ? null : vertex;
    board = board.makeMove(signOf(colour), vertex ?? [-1, -1]);
    number += 1;
    toPlay = other(colour);
  }
  return {
    board,
    number,
    last,
    toPlay: node.to_play ?? toPlay,
    captures: { B: board.getCaptures(1), W: board.getCaptures(-1) },
  };
}

/**
 * @param {Position} position
 * @param {Vertex} vertex
 * @returns {boolean} whether the move is legal whatever the rules say on suicide and superko
 */
export function plainlyLegal(position, vertex) {
  const { overwrite, ko, suicide } = position.board.analyzeMove(signOf(position.toPlay), vertex);
  return !overwrite && !ko && !suicide;
}
