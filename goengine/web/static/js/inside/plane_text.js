/** The names of single planes in the page's language, made from their group and place in it. */

import { t, translated } from "../strings/index.js";

/** @typedef {import("../link/messages.js").PlaneGroup} PlaneGroup */

/** What the first plane of a group of one-hot planes stands for. */
/** @type {Record<string, number>} */
const FIRST_VALUE = { "turns since": 0, liberties: 1, "capture size": 0, "self-atari size": 1, "liberties after move": 1 };

/**
 * @param {PlaneGroup} group
 * @param {number} index in the group
 * @returns {string} such as "3" or "8 or more"
 */
export function planeTitle(group, index) {
  const plane = group.planes[index];
  const first = FIRST_VALUE[group.name];
  if (group.name === "stone colour") {
    return translated(`plane.stone colour.${index}`, plane?.title ?? "");
  }
  if (first === undefined) return translated(`plane.${group.name}`, plane?.title ?? group.title);
  const value = first + index;
  return index === group.planes.length - 1 ? t("plane.more", { value }) : String(value);
}
