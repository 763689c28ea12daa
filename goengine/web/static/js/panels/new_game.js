/** The dialog of a new game: size, colours, strength, handicap, komi, rules, clock. */

import { Fragment, h, useState } from "../../vendor/goban.js";
import { Button, Choice, Dialog, NumberField } from "../controls/controls.js";
import { replaceGame } from "../shell/actions.js";
import { currentLanguage, rankText, t, translated } from "../strings/index.js";
import { firstGame, gameRequest, komiOf, mostHandicap } from "./game_request.js";

/** @typedef {import("../shell/app.js").App} App */
/** @typedef {import("./game_request.js").GameForm} GameForm */

const SIZES = [9, 13, 19];

/** @param {{app: App}} props */
export function NewGame({ app }) {
  const { hello, options } = app.state;
  const [form, setForm] = useState(
    /** @returns {GameForm} */ () => ({ ...firstGame(hello, currentLanguage()), ...options.game }),
  );
  const set = (/** @type {Partial<GameForm>} */ change) => setForm((old) => ({ ...old, ...change }));
  const close = () => app.update({ dialog: null });
  const begin = (/** @type {Event} */ event) => {
    event.preventDefault();
    app.choose({ game: form });
    app.update({ dialog: null });
    replaceGame(app, () => {
      app.send(gameRequest(form, hello));
      app.update({ view: "play", hint: null });
    });
  };
  return h(
    Dialog,
    { title: t("new.title"), onClose: close, kind: "new-game", children: h(
      "form",
      { onSubmit: begin },
      h(Size, { form, set, most: hello?.sizes[1] ?? 19 }),
      h(Segments, {
        label: t("new.colour"),
        value: form.colour,
        choices: /** @type {const} */ (["B", "W", "random", "both", "none"]).map((value) => [
          value,
          t(`new.colour.${value}`),
        ]),
        onChange: (/** @type {string} */ colour) => set({ colour: /** @type {GameForm["colour"]} */ (colour) }),
      }),
      form.colour !== "both" && h(Strength, { form, set, app }),
      h(
        "div",
        { class: "fields" },
        h(Choice, {
          label: t("new.handicap"),
          name: "handicap",
          value: String(Math.min(form.handicap, mostHandicap(form.size))),
          choices: [0, 2, 3, 4, 5, 6, 7, 8, 9]
            .filter((stones) => stones <= mostHandicap(form.size))
            .map((stones) => [String(stones), stones ? t("new.stones", { stones }) : t("new.even")]),
          onChange: (stones) => set({ handicap: Number(stones), komi: null }),
        }),
        h(NumberField, {
          label: t("komi"),
          name: "komi",
          value: komiOf(form, hello),
          min: -150,
          max: 150,
          step: 0.5,
          onChange: (komi) => set({ komi }),
        }),
        h(Choice, {
          label: t("rules"),
          name: "rules",
          value: form.rules || (hello?.rules[0]?.name ?? ""),
          choices: (hello?.rules ?? []).map(({ name, title }) => [name, translated(`rules.${name}`, title)]),
          onChange: (rules) => set({ rules, komi: null }),
        }),
      ),
      h(ClockFields, { form, set }),
      h(
        "footer",
        null,
        h(Button, { label: t("cancel"), kind: "quiet", onClick: close }),
        h("button", { type: "submit", class: "button main", autofocus: true }, t("new.begin")),
      ),
    ) },
  );
}

/**
 * @param {{form: GameForm, set: (change: Partial<GameForm>) => void, most: number}} props
 */
function Size({ form, set, most }) {
  const other = !SIZES.includes(form.size);
  const [custom, setCustom] = useState(other);
  return h(
    Fragment,
    null,
    h(Segments, {
      label: t("new.size"),
      value: custom ? "other" : String(form.size),
      choices: [...SIZES.map((n) => [String(n), `${n}×${n}`]), ["other", t("new.other")]],
      onChange: (/** @type {string} */ value) => {
        setCustom(value === "other");
        if (value !== "other") set({ size: Number(value), komi: null });
      },
    }),
    custom &&
      h(NumberField, {
        label: t("new.size"),
        value: form.size,
        min: 2,
        max: most,
        onChange: (size) => set({ size: Math.min(most, Math.max(2, Math.round(size))) }),
      }),
  );
}

/**
 * @param {{form: GameForm, set: (change: Partial<GameForm>) => void, app: App}} props
 */
function Strength({ form, set, app }) {
  const { ranks = [], networks = [] } = app.state.hello ?? {};
  const limits = /** @type {GameForm["limit"][]} */ (
    ranks.length ? ["rank", "visits", "seconds"] : ["visits", "seconds"]
  );
  const limit = limits.includes(form.limit) ? form.limit : "visits";
  return h(
    "div",
    { class: "fields" },
    h(Choice, {
      label: t("new.strength"),
      name: "limit",
      value: limit,
      choices: limits.map((name) => [name, t(`new.limit.${name}`)]),
      onChange: (value) => set({ limit: value }),
    }),
    limit === "rank" &&
      h(Choice, {
        label: t("new.limit.rank"),
        name: "rank",
        value: form.rank || (ranks[0] ?? ""),
        choices: ranks.map((rank) => [rank, rankText(rank)]),
        onChange: (rank) => set({ rank }),
      }),
    limit === "visits" &&
      h(NumberField, {
        label: t("visits"),
        name: "visits",
        value: form.visits,
        min: 0,
        max: 100_000,
        onChange: (visits) => set({ visits: Math.max(0, Math.round(visits)) }),
      }),
    limit === "seconds" &&
      h(NumberField, {
        label: t("new.seconds"),
        name: "seconds",
        value: form.seconds,
        min: 0.1,
        max: 3600,
        step: 0.1,
        onChange: (seconds) => set({ seconds }),
      }),
    limit !== "rank" && // ranks keep the network that they were measured with
      networks.length > 1 &&
      h(Choice, {
        label: t("network"),
        name: "network",
        value: form.network || (app.state.hello?.network ?? networks[0] ?? ""),
        choices: networks.map((network) => [network, network]),
        onChange: (network) => set({ network }),
      }),
  );
}

/**
 * @param {{form: GameForm, set: (change: Partial<GameForm>) => void}} props
 */
function ClockFields({ form, set }) {
  const kinds = /** @type {const} */ (["none", "byo_yomi", "fischer", "canadian"]);
  const number = (
    /** @type {"main" | "period" | "periods" | "increment" | "stones"} */ name,
    /** @type {number} */ min,
    /** @type {number} */ max,
  ) =>
    h(NumberField, {
      key: name,
      name,
      label: t(`clock.${name}`),
      value: form[name],
      min,
      max,
      onChange: (value) => set({ [name]: value }),
    });
  return h(
    "div",
    { class: "fields" },
    h(Choice, {
      label: t("clock"),
      name: "clock",
      value: form.clock,
      choices: kinds.map((kind) => [kind, t(`clock.${kind}`)]),
      onChange: (clock) => set({ clock }),
    }),
    form.clock !== "none" && number("main", 0, 600),
    (form.clock === "byo_yomi" || form.clock === "canadian") && number("period", 1, 3600),
    form.clock === "byo_yomi" && number("periods", 1, 99),
    form.clock === "fischer" && number("increment", 0, 600),
    form.clock === "canadian" && number("stones", 1, 99),
  );
}

/**
 * A choice among few, all of them seen.
 *
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.value
 * @param {string[][]} props.choices value and text
 * @param {(value: string) => void} props.onChange
 */
function Segments({ label, value, choices, onChange }) {
  return h(
    "fieldset",
    { class: "segments" },
    h("legend", null, label),
    h(
      "div",
      null,
      choices.map(([its = "", text]) =>
        h(
          "label",
          { key: its },
          h("input", {
            type: "radio",
            name: label,
            value: its,
            checked: its === value,
            onChange: () => onChange(its),
          }),
          h("span", null, text),
        ),
      ),
    ),
  );
}
