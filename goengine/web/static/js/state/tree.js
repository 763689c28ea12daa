/** Walks in the tree of a game; every walk is a loop, as games may be thousands of moves deep. */

/** @typedef {import("../link/messages.js").Tree} Tree */
/** @typedef {import("../link/messages.js").Node} Node */
/** @typedef {import("../link/messages.js").NodeId} NodeId */

/**
 * @param {Tree} tree
 * @param {NodeId} id
 * @returns {NodeId[]} from the root to the node, both included
 */
export function pathTo(tree, id) {
  const path = [];
  for (let at = /** @type {NodeId | null} */ (id); at !== null; at = tree.nodes[at]?.parent ?? null) {
    path.push(at);
  }
  return path.reverse();
}

/**
 * @param {Tree} tree
 * @param {NodeId} id
 * @returns {NodeId[]} the line through a node: from the root to it, then its main continuation
 */
export function lineThrough(tree, id) {
  const line = pathTo(tree, id);
  for (let at = tree.nodes[id]?.children[0]; at !== undefined; at = tree.nodes[at]?.children[0]) {
    line.push(at);
  }
  return line;
}

/**
 * @param {Tree} tree
 * @param {NodeId} id
 * @param {number} steps forwards along the main continuation, or backwards if negative
 * @returns {NodeId}
 */
export function walk(tree, id, steps) {
  let at = id;
  for (let left = Math.abs(steps); left > 0; left--) {
    const node = tree.nodes[at];
    const next = steps > 0 ? node?.children[0] : node?.parent;
    if (next === undefined || next === null) break;
    at = next;
  }
  return at;
}

/**
 * The neighbouring variation: the sibling, or that of the nearest ancestor which has one.
 *
 * @param {Tree} tree
 * @param {NodeId} id
 * @param {1 | -1} direction
 * @returns {NodeId} the node itself where there is no variation
 */
export function sibling(tree, id, direction) {
  for (let at = id; ; ) {
    const parent = tree.nodes[at]?.parent ?? null;
    if (parent === null) return id;
    const siblings = tree.nodes[parent]?.children ?? [];
    if (siblings.length > 1) {
      const place = siblings.indexOf(at) + direction;
      return siblings[(place + siblings.length) % siblings.length] ?? id;
    }
    at = parent;
  }
}

/**
 * @param {Tree} tree
 * @param {NodeId} id
 * @returns {NodeId} the root
 */
export function first(tree, id) {
  return pathTo(tree, id)[0] ?? id;
}

/**
 * @param {Tree} tree
 * @param {NodeId} id
 * @returns {NodeId} the end of the line through the node
 */
export function last(tree, id) {
  return lineThrough(tree, id).at(-1) ?? id;
}

/**
 * @param {Tree} tree
 * @param {NodeId} id
 * @returns {NodeId[]} the node and all that lies below it
 */
export function belowAll(tree, id) {
  const found = [id];
  for (let at = 0; at < found.length; at++) found.push(...(tree.nodes[found[at] ?? ""]?.children ?? []));
  return found;
}

/**
 * @param {Tree} tree
 * @param {NodeId} id
 * @returns {number} moves from the root to the node, passes included
 */
export function moveNumber(tree, id) {
  return pathTo(tree, id).filter((at) => tree.nodes[at]?.move).length;
}

/**
 * @param {Tree} tree
 * @param {NodeId} parent
 * @param {[string, string]} move
 * @returns {NodeId | undefined} the child with this move
 */
export function childWith(tree, parent, move) {
  return tree.nodes[parent]?.children.find((id) => {
    const its = tree.nodes[id]?.move;
    return its && its[0] === move[0] && its[1].toLowerCase() === move[1].toLowerCase();
  });
}

/**
 * @param {Tree} tree
 * @param {NodeId} id
 * @returns {boolean} whether the node lies on the main line
 */
export function onMainLine(tree, id) {
  for (let at = id; ; ) {
    const parent = tree.nodes[at]?.parent ?? null;
    if (parent === null) return true;
    if (tree.nodes[parent]?.children[0] !== at) return false;
    at = parent;
  }
}
