/** The page's sentences in the chosen language; values stand in braces: "{colour} to move". */

/** @typedef {import("../link/messages.js").Colour} Colour */
/** @typedef {"en" | "ko" | "zh" | "ja"} Language */
/** @typedef {Record<string, string>} Strings */

/** @type {Record<Language, string>} each language in itself */
export const LANGUAGES = { en: "English", ko: "한국어", zh: "简体中文", ja: "日本語" };

/** @type {Strings} */
let strings = {};
let language = /** @type {Language} */ ("en");

/**
 * @param {"auto" | Language} chosen
 * @param {readonly string[]} browser languages in the order that the user likes
 * @returns {Language}
 */
export function preferred(chosen, browser) {
  if (chosen !== "auto") return chosen;
  for (const tag of browser) {
    const short = tag.slice(0, 2).toLowerCase();
    if (short in LANGUAGES) return /** @type {Language} */ (short);
  }
  return "en";
}

/** @returns {Language} of the sentences */
export function currentLanguage() {
  return language;
}

/** @param {Language} wanted */
export async function loadLanguage(wanted) {
  const module = await import(`./${wanted}.js`);
  strings = module.default;
  language = wanted;
}

/**
 * @param {string} sentence
 * @param {Record<string, string | number>} args
 * @returns {string} the sentence with the values in their places
 */
export function filled(sentence, args) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(args[name] ?? whole));
}

/**
 * @param {string} key
 * @param {Record<string, string | number>} [args]
 * @returns {string}
 */
export function t(key, args = {}) {
  return filled(strings[key] ?? key, args);
}

/**
 * @param {string} rank as the server names it: 8k, 1d
 * @returns {string} as people of the chosen language write it
 */
export function rankText(rank) {
  return t(rank.endsWith("d") ? "rank.dan" : "rank.kyu", { rank: rank.slice(0, -1) });
}

/**
 * The page's sentence for something that the server names, or the server's own English one.
 *
 * @param {string} key
 * @param {string} otherwise
 * @param {Record<string, string | number>} [args]
 * @returns {string}
 */
export function translated(key, otherwise, args = {}) {
  const sentence = strings[key];
  return sentence === undefined ? otherwise : filled(sentence, args);
}

/**
 * @param {Colour} colour
 * @returns {string}
 */
export function colourName(colour) {
  return t(`colour.${colour}`);
}

/**
 * @param {number} share 0 to 1
 * @param {number} [digits] behind the point
 * @returns {string} such as "53 %" as the language writes it
 */
export function percent(share, digits = 0) {
  return new Intl.NumberFormat(language, {
    style: "percent",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(share);
}

/**
 * @param {string} result as SGF writes it: "B+3.5", "W+R", "B+T", "0", "Void"
 * @returns {string}
 */
export function resultText(result) {
  const [winner, by = ""] = result.split("+");
  if (winner !== "B" && winner !== "W") {
    return /^(0|draw)$/i.test(result) ? t("result.draw") : result;
  }
  const colour = colourName(winner);
  if (/^r/i.test(by)) return t("result.resign", { colour });
  if (/^t/i.test(by)) return t("result.time", { colour });
  return by ? t("result.points", { colour, points: by }) : t("result.wins", { colour });
}
