/** The drawing over the stones: an SVG with 100 units a point, which takes no clicks. */

import { h } from "../../vendor/goban.js";
import { isPass, vertexOf } from "../state/coords.js";
import {
  candidateText,
  classOf,
  countText,
  ownedPoints,
  policyPoints,
  variationStones,
} from "./overlay_data.js";

/** @typedef {import("../link/messages.js").Candidate} Candidate */
/** @typedef {import("../link/messages.js").Colour} Colour */
/** @typedef {import("../state/coords.js").Vertex} Vertex */

const U = 100;
/** Pixels a point from which on a text can be read. */
const READABLE = 15;
const TWO_LINES = 30;
/** Pixels a point under which a text takes the whole stone. */
const TIGHT = 25;

/** @param {Vertex} vertex */
const middle = ([x, y]) => ({ x: (x + 0.5) * U, y: (y + 0.5) * U });

/**
 * @param {Vertex} vertex
 * @param {Colour} colour
 * @param {{key: string, name?: string, text?: string}} more
 */
function stone(vertex, colour, { key, name = "", text }) {
  const { x, y } = middle(vertex);
  return h(
    "g",
    { key, class: `ghost ${colour === "B" ? "black" : "white"} ${name}` },
    h("circle", { cx: x, cy: y, r: 46 }),
    text && h("text", { x, y: y + 2, class: "number" }, text),
  );
}

/**
 * @param {string} shape
 * @param {{x: number, y: number}} at
 */
export function shapePath(shape, { x, y }) {
  switch (shape) {
    case "square":
      return h("rect", { x: x - 40, y: y - 40, width: 80, height: 80, rx: 16, class: "shape" });
    case "diamond":
      return h("path", { d: `M${x} ${y - 49}L${x + 49} ${y}L${x} ${y + 49}L${x - 49} ${y}Z`, class: "shape" });
    case "triangle":
      return h("path", { d: `M${x - 49} ${y - 40}H${x + 49}L${x} ${y + 48}Z`, class: "shape" });
    default:
      return h("circle", { cx: x, cy: y, r: 45, class: "shape" });
  }
}

/**
 * @param {Candidate[]} candidates
 * @param {Colour} toPlay
 * @param {number} size
 * @param {number} pixels a point
 * @param {import("../shell/options.js").Options["label"]} label
 * @param {boolean} priors whether the network's share stands below instead of the visits
 */
function candidateMarks(candidates, toPlay, size, pixels, label, priors) {
  const most = Math.max(1, ...candidates.map(({ visits }) => visits));
  const best = candidates.find(({ order }) => order === 0)?.lead;
  return candidates.slice(0, 24).map((candidate) => {
    const vertex = isPass(candidate.move) ? null : vertexOf(candidate.move, size);
    if (!vertex) return null;
    const at = middle(vertex);
    const { name, shape } = classOf(candidate.lost);
    const first = candidate.order === 0;
    const faint = !first && candidate.visits < most * 0.02;
    const two = pixels >= TWO_LINES && (priors || label !== "visits") && !faint;
    return h(
      "g",
      { key: candidate.move, class: `candidate ${name} ${first ? "first" : ""} ${faint ? "faint" : ""} ${pixels < TIGHT ? "tight" : ""}` },
      shapePath(shape, at),
      first && h("circle", { cx: at.x, cy: at.y, r: 47, class: "ring" }),
      pixels >= READABLE &&
        !faint &&
        h(
          "text",
          { x: at.x, y: at.y - (two ? 9 : 0), class: "value" },
          candidateText(candidate, toPlay, label, best),
        ),
      two && h("text", { x: at.x, y: at.y + 23, class: "count" }, priors ? shareText(candidate.prior) : countText(candidate.visits)),
    );
  });
}

/** @param {number} prior */
const shareText = (prior) => `${Math.round(prior * 100)}%`;

/**
 * @typedef {object} Drawn
 * @property {number} size
 * @property {number} pixels a point
 * @property {Colour} toPlay
 * @property {readonly (readonly number[])[]} stones signs by row
 * @property {Candidate[]} candidates
 * @property {import("../shell/options.js").Options["label"]} label
 * @property {number[] | null} ownership
 * @property {number[] | null} policy
 * @property {number[] | null} area who owns which point in the count
 * @property {number[] | null} bits the plane that is laid over the board
 * @property {string[]} variation
 * @property {Vertex | null} hint
 * @property {Vertex | null} hover a stone of the player to move under the mouse
 * @property {Vertex | null} tentative a stone that a second touch plays
 * @property {Vertex | null} cross
 */

/** @param {Drawn} drawn */
export function Overlay(drawn) {
  const { size, pixels, toPlay, ownership, policy, area, bits, variation, candidates } = drawn;
  const owned = area ?? ownership;
  return h(
    "svg",
    { class: "overlay", viewBox: `0 0 ${size * U} ${size * U}`, "aria-hidden": "true" },
    bits &&
      bits.map((bit, index) => {
        const { x, y } = middle([index % size, Math.floor(index / size)]);
        return bit
          ? h("rect", { key: `b${index}`, class: "bit", x: x - 44, y: y - 44, width: 88, height: 88, rx: 14 })
          : null;
      }),
    owned &&
      ownedPoints(owned, size, drawn.stones).map(({ vertex, colour, sure }) => {
        const { x, y } = middle(vertex);
        const half = (area ? 19 : 8 + 14 * sure) | 0;
        return h("rect", {
          key: `o${vertex}`,
          class: `owned ${colour === "B" ? "black" : "white"}`,
          opacity: area ? 1 : (0.35 + 0.6 * sure).toFixed(2),
          x: x - half,
          y: y - half,
          width: 2 * half,
          height: 2 * half,
          rx: 5,
        });
      }),
    policy &&
      policyPoints(policy, size).map(({ vertex, share, prior }) => {
        const { x, y } = middle(vertex);
        return h(
          "g",
          { key: `p${vertex}`, class: "policy" },
          h("circle", { cx: x, cy: y, r: (12 + 34 * Math.sqrt(share)).toFixed(0) }),
          pixels >= READABLE &&
            prior >= 0.01 &&
            h("text", { x, y, class: "value" }, Math.round(prior * 100)),
        );
      }),
    !variation.length && candidateMarks(candidates, toPlay, size, pixels, drawn.label, Boolean(policy)),
    variationStones(variation, toPlay, size).map(({ vertex, colour, number }) =>
      stone(vertex, colour, { key: `v${number}`, text: String(number), name: "solid" }),
    ),
    drawn.hint &&
      !variation.length &&
      h("circle", { key: "hint", class: "hint", r: 40, cx: middle(drawn.hint).x, cy: middle(drawn.hint).y }),
    drawn.hover && stone(drawn.hover, toPlay, { key: "hover" }),
    drawn.tentative && !variation.length && stone(drawn.tentative, toPlay, { key: "tentative", name: "tentative" }),
    drawn.cross && crosshair(drawn.cross, size),
  );
}

/**
 * @param {Vertex} vertex
 * @param {number} size
 */
function crosshair(vertex, size) {
  const { x, y } = middle(vertex);
  const d = `M${x} 0V${y - 50}M${x} ${y + 50}V${size * U}M0 ${y}H${x - 50}M${x + 50} ${y}H${size * U}`;
  return h(
    "g",
    { key: "cross", class: "cross" },
    h("path", { d }),
    h("rect", { x: x - 49, y: y - 49, width: 98, height: 98, rx: 18, class: "outer" }),
    h("rect", { x: x - 49, y: y - 49, width: 98, height: 98, rx: 18 }),
  );
}
