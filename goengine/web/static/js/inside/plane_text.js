/** The names of single planes in the page's language, made from their group and place in it. */

import { t, translated } from "../strings/index.js";

/** @typedef {import("../link/messages.js").PlaneGroup} PlaneGroup */

/**
 * @param {PlaneGroup} group
 * @param {number} index in the group
 * @returns {string} such as "3" or "8 or more"
 */
export function planeTitle(group, index) {
  const plane = group.planes[index];
  if (group.name === "stone colour") {
    return translated(`plane.stone colour.${index}`, plane?.title ?? "");
  }
  if (group.planes.length === 1) return translated(`plane.${group.name}`, plane?.title ?? group.title);
  const value = group.first + index;
  return index === group.planes.length - 1 ? t("plane.more", { value }) : String(value);
}
