/** What the user has chosen, kept in the browser's own storage. */

/**
 * @typedef {object} Options
 * @property {"auto" | "en" | "ko" | "zh" | "ja"} language
 * @property {"auto" | "light" | "dark"} theme
 * @property {boolean} sound
 * @property {boolean} coordinates
 * @property {boolean} numbers move numbers on the stones
 * @property {boolean} candidates
 * @property {boolean} policy
 * @property {boolean} ownership
 * @property {"auto" | "always" | "never"} confirm whether a move wants a second touch
 * @property {"lost" | "winrate" | "lead" | "visits"} label what stands on a candidate move
 * @property {number} visits of the live analysis
 * @property {number} reviewVisits a position of a review
 * @property {import("../panels/game_request.js").GameForm | null} game the last new game
 */

const KEY = "goengine.options";
const VIEW_KEY = "goengine.view";

/** @type {Options} */
export const DEFAULTS = {
  language: "auto",
  theme: "auto",
  sound: true,
  coordinates: true,
  numbers: false,
  candidates: true,
  policy: false,
  ownership: false,
  confirm: "auto",
  label: "lost",
  visits: 1000,
  reviewVisits: 50,
  game: null,
};

/**
 * @param {Pick<Storage, "getItem"> | null} storage
 * @returns {Options} what was kept; defaults for what is missing or of another type
 */
export function loadOptions(storage) {
  /** @type {Record<string, unknown>} */
  let kept = {};
  try {
    kept = JSON.parse(storage?.getItem(KEY) ?? "{}") ?? {};
  } catch {
    kept = {};
  }
  const options = Object.entries(DEFAULTS).map(([name, value]) => {
    const its = kept[name];
    return [name, value === null || typeof its === typeof value ? (its ?? value) : value];
  });
  return Object.fromEntries(options);
}

/**
 * @param {Pick<Storage, "setItem"> | null} storage null where the browser keeps nothing
 * @param {Options} options
 */
export function saveOptions(storage, options) {
  try {
    storage?.setItem(KEY, JSON.stringify(options));
  } catch {
    return;
  }
}

/**
 * @param {Pick<Storage, "getItem"> | null} session
 * @returns {import("./app.js").View} the view of this tab before a reload
 */
export function keptView(session) {
  const kept = session?.getItem(VIEW_KEY);
  return kept === "study" || kept === "inside" ? kept : "play";
}

/**
 * @param {Pick<Storage, "setItem"> | null} session
 * @param {import("./app.js").View} view
 */
export function keepView(session, view) {
  try {
    session?.setItem(VIEW_KEY, view);
  } catch {
    return;
  }
}

/**
 * @param {"localStorage" | "sessionStorage"} kind for good, or for this tab alone
 * @returns {Storage | null} the browser's storage, if it allows one
 */
export function browserStorage(kind) {
  try {
    return window[kind];
  } catch {
    return null;
  }
}
