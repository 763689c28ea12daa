/** The win-rate and score graph as numbers: no drawing here. */

import { lineThrough } from "../state/tree.js";

/** @typedef {import("../link/messages.js").Tree} Tree */
/** @typedef {import("../link/messages.js").Values} Values */
/**
 * @typedef {object} Point
 * @property {string} node
 * @property {number} number of the move
 * @property {number | null} winrate Black's
 * @property {number | null} lead Black's
 * @property {number} lost points lost by the move
 */

/**
 * @param {Tree} tree
 * @param {string} cursor
 * @param {{node: string, winrate: number | null, lead: number | null} | null} live
 * @returns {Point[]} along the line through the cursor
 */
export function graphPoints(tree, cursor, live) {
  let number = 0;
  return lineThrough(tree, cursor).map((id) => {
    const node = tree.nodes[id];
    if (node?.move) number += 1;
    const values = live?.node === id ? live : node?.values;
    return {
      node: id,
      number,
      winrate: values?.winrate ?? null,
      lead: values?.lead ?? null,
      lost: node?.values?.lost ?? 0,
    };
  });
}

/**
 * @param {Point[]} points
 * @returns {number} a round number of points that no lead of the game exceeds
 */
export function leadRange(points) {
  const most = Math.max(5, ...points.map(({ lead }) => Math.abs(lead ?? 0)));
  const step = most <= 20 ? 5 : most <= 50 ? 10 : 50;
  return Math.ceil(most / step) * step;
}

/**
 * @param {(number | null)[]} heights 0 at the top to 1; null leaves a gap
 * @param {number} width
 * @param {number} height
 * @returns {string} an SVG path
 */
export function linePath(heights, width, height) {
  let path = "";
  let pen = false;
  for (const [index, y] of heights.entries()) {
    if (y === null) {
      pen = false;
      continue;
    }
    const x = heights.length > 1 ? (index / (heights.length - 1)) * width : 0;
    path += `${pen ? "L" : "M"}${x.toFixed(1)} ${(y * height).toFixed(1)}`;
    pen = true;
  }
  return path;
}

/**
 * @param {(number | null)[]} heights
 * @param {number} width
 * @param {number} height
 * @returns {string} the area between the line and the bottom, gaps bridged
 */
export function areaPath(heights, width, height) {
  const known = heights.flatMap((y, index) =>
    y === null ? [] : [{ x: heights.length > 1 ? (index / (heights.length - 1)) * width : 0, y: y * height }],
  );
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last || first === last) return "";
  const top = known.map(({ x, y }) => `L${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  return `M${first.x.toFixed(1)} ${height}${top}L${last.x.toFixed(1)} ${height}Z`;
}
