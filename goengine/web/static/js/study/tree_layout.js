/** Where each node of a tree is drawn: columns are moves, rows are variations. */

/** @typedef {import("../link/messages.js").Tree} Tree */
/** @typedef {{id: string, column: number, row: number, parent: Place | null}} Place */

/**
 * Lay the tree out: the main line is row 0, and a variation takes the first row below its branching
 * point's that is free over its whole first line.
 *
 * @param {Tree} tree
 * @returns {{places: Map<string, Place>, columns: number, rows: number}}
 */
export function layOut(tree) {
  /** @type {Map<string, Place>} */
  const places = new Map();
  /** @type {number[]} the last row that is taken in a column */
  const taken = [];
  /** @type {{id: string, parent: Place | null}[]} */
  const starts = [{ id: tree.root, parent: null }];
  let columns = 0;
  let rows = 0;
  while (starts.length) {
    const start = /** @type {{id: string, parent: Place | null}} */ (starts.pop());
    const line = mainFrom(tree, start.id);
    const from = start.parent ? start.parent.column + 1 : 0;
    let row = start.parent ? start.parent.row + 1 : 0;
    for (let column = from; column < from + line.length; column++) {
      row = Math.max(row, (taken[column] ?? -1) + 1);
    }
    // The connection runs down in the column of the parent, so that nothing may be put across it.
    if (start.parent) taken[start.parent.column] = Math.max(taken[start.parent.column] ?? 0, row);
    let parent = start.parent;
    const branches = [];
    for (const [index, id] of line.entries()) {
      const place = { id, column: from + index, row, parent };
      places.set(id, place);
      taken[place.column] = row;
      for (const child of tree.nodes[id]?.children.slice(1) ?? []) branches.push({ id: child, parent: place });
      parent = place;
    }
    columns = Math.max(columns, from + line.length);
    rows = Math.max(rows, row + 1);
    // The latest branch first: it finds its place below the line without crossing earlier ones.
    starts.push(...inOrder(branches));
  }
  return { places, columns, rows };
}

/**
 * @param {{id: string, parent: Place}[]} branches by column
 * @returns {{id: string, parent: Place}[]} as a stack: the last column on top, siblings in order
 */
function inOrder(branches) {
  return branches
    .map((branch, index) => ({ branch, index }))
    .sort((a, b) => a.branch.parent.column - b.branch.parent.column || b.index - a.index)
    .map(({ branch }) => branch);
}

/**
 * @param {Tree} tree
 * @param {string} id
 * @returns {string[]} the node and its main continuation
 */
function mainFrom(tree, id) {
  const line = [];
  for (let at = /** @type {string | undefined} */ (id); at !== undefined; at = tree.nodes[at]?.children[0]) {
    line.push(at);
  }
  return line;
}
