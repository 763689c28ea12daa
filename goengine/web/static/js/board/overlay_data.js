/** What is drawn over the stones, as plain data: candidates, ownership, policy, variation, marks. */

import { isPass, other, vertexOf } from "../state/coords.js";
import { pathTo } from "../state/tree.js";
import { translated } from "../strings/index.js";

/** @typedef {import("../link/messages.js").Candidate} Candidate */
/** @typedef {import("../link/messages.js").Colour} Colour */
/** @typedef {import("../link/messages.js").Tree} Tree */
/** @typedef {import("../link/messages.js").Word} Word */
/** @typedef {import("../state/coords.js").Vertex} Vertex */

/** Points lost up to which a move belongs to a class; the shapes differ, not the colours alone. */
export const CLASSES = /** @type {const} */ ([
  { name: "best", upTo: 0.5, shape: "circle" },
  { name: "good", upTo: 1.5, shape: "circle" },
  { name: "slack", upTo: 3, shape: "square" },
  { name: "poor", upTo: 6, shape: "diamond" },
  { name: "bad", upTo: Infinity, shape: "triangle" },
]);

/**
 * @param {number} lost points
 * @returns {(typeof CLASSES)[number]}
 */
export function classOf(lost) {
  return CLASSES.find(({ upTo }) => lost < upTo) ?? CLASSES[4];
}

/**
 * A value of Black's as the player to move sees it.
 *
 * @param {number} winrate 0 to 1
 * @param {Colour} colour
 */
export function winrateFor(winrate, colour) {
  return colour === "B" ? winrate : 1 - winrate;
}

/**
 * @param {number} lead Black's
 * @returns {string} such as "B+3.5", as the language writes it
 */
export function leadText(lead) {
  const rounded = Math.abs(lead).toFixed(1);
  if (rounded === "0.0") return rounded;
  const colour = lead > 0 ? "B" : "W";
  return translated(`lead.${colour}`, `${colour}+${rounded}`, { points: rounded });
}

/**
 * @param {number} visits
 * @returns {string} such as "950", "1.2k", "34k"
 */
export function countText(visits) {
  if (visits < 1000) return String(visits);
  return visits < 9950 ? `${(visits / 1000).toFixed(1).replace(".0", "")}k` : `${Math.round(visits / 1000)}k`;
}

/**
 * @param {number} points
 * @returns {string} with a real minus sign, and none before zero
 */
function signed(points) {
  return points.toFixed(1).replace(/^-0\.0$/, "0.0").replace("-", "−");
}

/**
 * @param {Candidate} candidate
 * @param {Colour} toPlay
 * @param {import("../shell/options.js").Options["label"]} kind
 * @param {number} [best] Black's lead after the move with the most visits
 * @returns {string}
 */
export function candidateText(candidate, toPlay, kind, best = candidate.lead) {
  switch (kind) {
    case "winrate":
      return String(Math.round(winrateFor(candidate.winrate, toPlay) * 100));
    case "lead":
      return signed((toPlay === "B" ? 1 : -1) * candidate.lead);
    case "visits":
      return countText(candidate.visits);
    case "lost": {
      const gain = (toPlay === "B" ? 1 : -1) * (candidate.lead - best);
      if (gain >= 0.05) return `+${gain.toFixed(1)}`;
      return candidate.lost < 0.05 ? "0" : candidate.lost.toFixed(1);
    }
  }
}

/**
 * @param {Word[]} moves
 * @param {Colour} toPlay who makes the first of them
 * @param {number} size
 * @returns {{vertex: Vertex, colour: Colour, number: number}[]} passes left out, each point once
 */
export function variationStones(moves, toPlay, size) {
  const taken = new Set();
  const stones = [];
  let colour = toPlay;
  for (const [index, word] of moves.entries()) {
    const vertex = isPass(word) ? null : vertexOf(word, size);
    if (vertex && !taken.has(word)) {
      taken.add(word);
      stones.push({ vertex, colour, number: index + 1 });
    }
    colour = other(colour);
  }
  return stones;
}

/**
 * The count that is seen: the one that goes on, or the accepted one of the shown position.
 *
 * @param {import("../link/messages.js").Table} table
 * @returns {import("../link/messages.js").Count | null}
 */
export function shownCount({ counting, counted, cursor }) {
  return counting ?? (counted?.node === cursor ? counted : null);
}

/**
 * @param {Tree} tree
 * @param {string} cursor
 * @param {number} size
 * @returns {Map<string, number>} "x,y" -> number of the last move on the point
 */
export function moveNumbers(tree, cursor, size) {
  const numbers = new Map();
  let number = 0;
  for (const id of pathTo(tree, cursor)) {
    const move = tree.nodes[id]?.move;
    if (!move) continue;
    number += 1;
    const vertex = vertexOf(move[1], size);
    if (vertex) numbers.set(vertex.join(), number);
  }
  return numbers;
}

/**
 * @param {number[]} policy size * size + 1 numbers, negative where a move is illegal
 * @param {number} size
 * @param {number} [least]
 * @returns {{vertex: Vertex, share: number, prior: number}[]} points with a share of the largest
 */
export function policyPoints(policy, size, least = 0.005) {
  const points = policy.slice(0, size * size);
  const most = Math.max(...points, 1e-9);
  return points.flatMap((prior, index) =>
    prior < least
      ? []
      : [{ vertex: [index % size, Math.floor(index / size)], share: prior / most, prior }],
  );
}

/**
 * @param {number[]} ownership -1 White's to 1 Black's
 * @param {number} size
 * @param {readonly (readonly number[])[]} [stones] signs by row; a living stone needs no drawing
 * @returns {{vertex: Vertex, colour: Colour, sure: number}[]} points that are somebody's at all
 */
export function ownedPoints(ownership, size, stones = []) {
  return ownership.flatMap((value, index) =>
    Math.abs(value) < 0.1 || stones[Math.floor(index / size)]?.[index % size] === Math.sign(value)
      ? []
      : [
          {
            vertex: /** @type {Vertex} */ ([index % size, Math.floor(index / size)]),
            colour: /** @type {Colour} */ (value > 0 ? "B" : "W"),
            sure: Math.min(1, Math.abs(value)),
          },
        ],
  );
}
