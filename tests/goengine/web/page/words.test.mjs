import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";

import { firstGame, gameRequest, komiOf, mostHandicap, FIRST_GAME } from "../../../../goengine/web/static/js/panels/game_request.js";
import { nextLabel } from "../../../../goengine/web/static/js/shell/actions.js";
import { BINDINGS } from "../../../../goengine/web/static/js/shell/keyboard.js";
import { DEFAULTS, loadOptions } from "../../../../goengine/web/static/js/shell/options.js";
import * as strings from "../../../../goengine/web/static/js/strings/index.js";
import { looksLikeSgf, toBase64 } from "../../../../goengine/web/static/js/study/files.js";

const SOURCES = new URL("../../../../goengine/web/static/js/", import.meta.url);
const tables = Object.fromEntries(
  await Promise.all(
    Object.keys(strings.LANGUAGES).map(async (name) => [
      name,
      (await import(new URL(`strings/${name}.js`, SOURCES).href)).default,
    ]),
  ),
);

for (const [name, table] of Object.entries(tables)) {
  test(`${name} has every sentence, with the same values in it`, () => {
    assert.deepEqual(Object.keys(table).sort(), Object.keys(tables.en).sort());
    const values = (/** @type {string} */ text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
    for (const [key, text] of Object.entries(table)) {
      assert.ok(text.trim(), key);
      assert.deepEqual(values(text), values(tables.en[key]), key);
    }
  });
}

test("every sentence that the page asks for is there", () => {
  const files = readdirSync(SOURCES, { recursive: true }).filter((file) => String(file).endsWith(".js"));
  const asked = files.flatMap((file) => {
    const text = readFileSync(new URL(String(file), SOURCES), "utf8");
    return [...text.matchAll(/\bt\(\s*"([^"]+)"/g)].map((match) => match[1]);
  });
  assert.ok(asked.length > 100);
  assert.deepEqual(asked.filter((key) => !(key in tables.en)), []);
  assert.deepEqual(BINDINGS.map(({ text }) => text).filter((key) => !(key in tables.en)), []);
});

test("no key has two meanings", () => {
  const keys = BINDINGS.flatMap((binding) => binding.keys);
  assert.equal(new Set(keys).size, keys.length);
});

test("the language is the first of the browser's that there is", () => {
  assert.equal(strings.preferred("auto", ["fr-FR", "ko-KR", "en"]), "ko");
  assert.equal(strings.preferred("auto", ["zh-Hant-TW"]), "zh");
  assert.equal(strings.preferred("auto", ["de"]), "en");
  assert.equal(strings.preferred("ja", ["ko"]), "ja");
});

test("results are told in words", async () => {
  await strings.loadLanguage("ko");
  assert.equal(strings.resultText("B+3.5"), "흑 3.5집 승");
  assert.equal(strings.resultText("W+R"), "백 불계승");
  await strings.loadLanguage("en");
  assert.equal(strings.resultText("W+T"), "White wins on time");
  assert.equal(strings.resultText("0"), "A draw");
  assert.equal(strings.resultText("Void"), "Void");
  assert.equal(strings.translated("error.unheard_of", "as the server says"), "as the server says");
  assert.equal(strings.translated("error.illegal_move", "", { move: "D4" }), "D4 is not allowed by the rules.");
});

test("ranks are written as people of the language write them", async () => {
  await strings.loadLanguage("ko");
  assert.deepEqual(["12k", "1k", "1d"].map(strings.rankText), ["12급", "1급", "1단"]);
  await strings.loadLanguage("en");
  assert.deepEqual(["12k", "1k", "1d"].map(strings.rankText), ["12k", "1k", "1d"]);
});

const HELLO = { rules: [{ name: "chinese", komi: 7.5 }, { name: "korean", komi: 6.5 }], ranks: ["8k"], networks: [] };

test("the form of a new game becomes a request", () => {
  const form = { ...FIRST_GAME, size: 9, colour: "W", limit: "seconds", seconds: 3, rules: "korean" };
  const request = gameRequest(form, HELLO);
  assert.deepEqual(request.black, { kind: "engine", seconds: 3 });
  assert.deepEqual(request.white, { kind: "human" });
  assert.equal(request.komi, 6.5);
  assert.equal(request.clock, null);
  assert.equal(gameRequest({ ...form, handicap: 4 }, HELLO).komi, 0.5);
  assert.equal(gameRequest({ ...form, handicap: 4, komi: -3.5 }, HELLO).komi, -3.5);
  assert.equal(gameRequest({ ...form, colour: "random" }, HELLO, () => 0.9).white.kind, "human");
  assert.deepEqual(gameRequest({ ...form, limit: "rank", rank: "8k" }, HELLO).black, { kind: "engine", rank: "8k" });
  const other = { ...form, network: "policy-192" };
  assert.equal(gameRequest(other, HELLO).black.network, "policy-192");
  assert.deepEqual(gameRequest({ ...other, limit: "rank", rank: "8k" }, HELLO).black, { kind: "engine", rank: "8k" });
  assert.deepEqual(gameRequest({ ...form, clock: "fischer", main: 5, increment: 7 }, HELLO).clock, { main: 300, fischer: 7 });
  assert.equal(komiOf(FIRST_GAME, null), 7.5);
  assert.equal(mostHandicap(5), 0);
  assert.equal(gameRequest({ ...form, size: 5, handicap: 9 }, HELLO).handicap, 0);
});

test("a first game has the rules of the language, and a rank where there are ranks", () => {
  const first = firstGame({ ...HELLO, ranks: ["20k", "10k", "1d"] }, "ko");
  assert.deepEqual([first.rules, first.limit, first.rank], ["korean", "rank", "10k"]);
  assert.equal(gameRequest(first, HELLO).komi, 6.5);
  assert.equal(firstGame(HELLO, "ja").rules, "");
  assert.equal(firstGame({ ...HELLO, ranks: [] }, "en").limit, "visits");
});

test("options survive missing, foreign and broken storage", () => {
  const stored = (text) => ({ getItem: () => text });
  assert.deepEqual(loadOptions(null), DEFAULTS);
  assert.deepEqual(loadOptions(stored("{")), DEFAULTS);
  assert.deepEqual(loadOptions(stored("null")), DEFAULTS);
  const some = loadOptions(stored('{"sound":false,"visits":"many","theme":"dark","unknown":1}'));
  assert.deepEqual(some, { ...DEFAULTS, sound: false, theme: "dark" });
});

test("files become base64, SGF is recognised, labels are the first free ones", () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 256);
  assert.deepEqual(new Uint8Array(Buffer.from(toBase64(bytes), "base64")), bytes);
  assert.ok(looksLikeSgf("\n(;GM[1])"));
  assert.ok(!looksLikeSgf("(a remark)"));
  assert.equal(nextLabel({ D4: "A", E5: "C" }, "label"), "B");
  assert.equal(nextLabel({ D4: "1" }, "number"), "2");
});
