/** From what the form of a new game says to the request, without drawing anything. */

/** @typedef {import("../link/messages.js").Player} Player */
/** @typedef {import("../link/messages.js").ClockSetting} ClockSetting */
/** @typedef {import("../link/messages.js").Hello} Hello */
/**
 * @typedef {object} GameForm
 * @property {number} size
 * @property {"B" | "W" | "random" | "both" | "none"} colour the human's
 * @property {"visits" | "seconds" | "rank"} limit
 * @property {number} visits
 * @property {number} seconds
 * @property {string} rank
 * @property {string} network "" for the default
 * @property {number} handicap
 * @property {number | null} komi null for what the rules say
 * @property {string} rules "" for the server's first
 * @property {"none" | "byo_yomi" | "fischer" | "canadian"} clock
 * @property {number} main minutes
 * @property {number} period seconds of a byo-yomi period
 * @property {number} periods
 * @property {number} increment seconds
 * @property {number} stones of a Canadian period
 */

/** @type {GameForm} */
export const FIRST_GAME = {
  size: 19,
  colour: "B",
  limit: "visits",
  visits: 50,
  seconds: 2,
  rank: "",
  network: "",
  handicap: 0,
  komi: null,
  rules: "",
  clock: "none",
  main: 10,
  period: 30,
  periods: 3,
  increment: 10,
  stones: 15,
};

/** The rules that a speaker of a language is used to; the server's first for the others. */
const RULES = /** @type {Record<string, string>} */ ({ ko: "korean", ja: "japanese" });
const USUAL_RANK = "10k";

/**
 * @param {Hello | null} hello
 * @param {string} language
 * @returns {GameForm} before the user has ever begun a game
 */
export function firstGame(hello, language) {
  const ranks = hello?.ranks ?? [];
  const rules = hello?.rules.find(({ name }) => name === RULES[language])?.name ?? "";
  const rank = ranks.includes(USUAL_RANK) ? USUAL_RANK : (ranks[0] ?? "");
  return { ...FIRST_GAME, limit: rank ? "rank" : "visits", rank, rules };
}

/**
 * @param {number} size
 * @returns {number} the most handicap stones that have a place: none on small boards
 */
export function mostHandicap(size) {
  if (size < 7) return 0;
  return size % 2 === 1 && size > 7 ? 9 : 4;
}

/**
 * @param {GameForm} form
 * @param {Hello | null} hello
 * @returns {number} the komi: as typed, half a point with a handicap, or as the rules say
 */
export function komiOf(form, hello) {
  if (form.komi !== null) return form.komi;
  if (form.handicap) return 0.5;
  const rules = hello?.rules ?? [];
  return (rules.find(({ name }) => name === form.rules) ?? rules[0])?.komi ?? 7.5;
}

/**
 * @param {GameForm} form
 * @returns {Player}
 */
export function engineOf(form) {
  if (form.limit === "rank" && form.rank) return { kind: "engine", rank: form.rank };
  const network = form.network ? { network: form.network } : {};
  if (form.limit === "seconds") return { kind: "engine", ...network, seconds: form.seconds };
  return { kind: "engine", ...network, visits: form.visits };
}

/**
 * @param {GameForm} form
 * @returns {ClockSetting | null}
 */
export function clockOf(form) {
  const main = form.main * 60;
  switch (form.clock) {
    case "byo_yomi":
      return { main, byo_yomi: form.period, periods: form.periods };
    case "fischer":
      return { main, fischer: form.increment };
    case "canadian":
      return { main, byo_yomi: form.period, canadian_stones: form.stones };
    default:
      return null;
  }
}

/**
 * @param {GameForm} form
 * @param {Hello | null} hello
 * @param {() => number} [random]
 * @returns {import("../link/messages.js").Request}
 */
export function gameRequest(form, hello, random = Math.random) {
  const colour = form.colour === "random" ? (random() < 0.5 ? "B" : "W") : form.colour;
  /** @type {Player} */
  const human = { kind: "human" };
  const engine = engineOf(form);
  const rules = form.rules || hello?.rules[0]?.name;
  return {
    do: "new_game",
    size: form.size,
    handicap: Math.min(form.handicap, mostHandicap(form.size)),
    komi: komiOf(form, hello),
    black: colour === "B" || colour === "both" ? human : engine,
    white: colour === "W" || colour === "both" ? human : engine,
    clock: clockOf(form),
    ...(rules ? { rules } : {}),
  };
}
