/** GTP words ("D4", "pass"), vertices [x, y] from the top left, and indices y * size + x. */

/** @typedef {import("../link/messages.js").Word} Word */
/** @typedef {import("../link/messages.js").Colour} Colour */
/** @typedef {[number, number]} Vertex */

export const LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ";

/**
 * @param {Word} word
 * @param {number} size
 * @returns {Vertex | null} null for a pass and for what is not on the board
 */
export function vertexOf(word, size) {
  const x = LETTERS.indexOf((word[0] ?? "?").toUpperCase());
  const y = size - Number(word.slice(1));
  return x >= 0 && x < size && Number.isInteger(y) && y >= 0 && y < size ? [x, y] : null;
}

/**
 * @param {Vertex} vertex
 * @param {number} size
 * @returns {Word}
 */
export function wordOf([x, y], size) {
  return `${LETTERS[x]}${size - y}`;
}

/**
 * @param {Word} word
 * @returns {boolean}
 */
export function isPass(word) {
  return word.toLowerCase() === "pass";
}

/**
 * @param {Colour} colour
 * @returns {Colour}
 */
export function other(colour) {
  return colour === "B" ? "W" : "B";
}

/**
 * @param {Colour} colour
 * @returns {1 | -1} Shudan's and go-board's sign: Black 1, White -1
 */
export function signOf(colour) {
  return colour === "B" ? 1 : -1;
}

/**
 * @template T
 * @param {number} size
 * @param {(x: number, y: number) => T} value
 * @returns {T[][]} rows from the top
 */
export function grid(size, value) {
  return Array.from({ length: size }, (_, y) => Array.from({ length: size }, (_, x) => value(x, y)));
}
