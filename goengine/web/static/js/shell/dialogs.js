/** The dialogs of settings, of keys, and the questions before something is given up. */

import { h } from "../../vendor/goban.js";
import { Button, Choice, Dialog, Switch } from "../controls/controls.js";
import { NewGame } from "../panels/new_game.js";
import { PasteDialog } from "../study/files.js";
import { LANGUAGES, t } from "../strings/index.js";
import { ask } from "./actions.js";
import { BINDINGS } from "./keyboard.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./options.js").Options} Options */

/** @param {{app: App}} props */
export function Dialogs({ app }) {
  switch (app.state.dialog) {
    case "new":
      return h(NewGame, { app });
    case "paste":
      return h(PasteDialog, { app });
    case "settings":
      return h(Settings, { app });
    case "help":
      return h(Help, { app });
    case "resign":
      return h(Resign, { app });
    case "sure":
      return h(Sure, { app });
    default:
      return null;
  }
}

/** @param {{app: App}} props */
function Settings({ app }) {
  const { options } = app.state;
  const version = app.state.hello?.version;
  return h(Dialog, {
    title: t("settings.title"),
    onClose: () => app.update({ dialog: null }),
    children: h(
      "div",
      { class: "settings" },
      h(Choice, {
        label: t("settings.language"),
        name: "language",
        value: options.language,
        choices: /** @type {[Options["language"], string][]} */ ([["auto", t("settings.auto")], ...Object.entries(LANGUAGES)]),
        onChange: (language) => app.choose({ language }),
      }),
      h(Choice, {
        label: t("settings.theme"),
        name: "theme",
        value: options.theme,
        choices: /** @type {const} */ (["auto", "light", "dark"]).map((theme) => [theme, t(`settings.theme.${theme}`)]),
        onChange: (theme) => app.choose({ theme }),
      }),
      h(Choice, {
        label: t("settings.confirm"),
        value: options.confirm,
        choices: /** @type {const} */ (["auto", "always", "never"]).map((confirm) => [confirm, t(`settings.confirm.${confirm}`)]),
        onChange: (confirm) => app.choose({ confirm }),
      }),
      h(Switch, { label: t("settings.sound"), on: options.sound, onChange: (sound) => app.choose({ sound }) }),
      h(Switch, { label: t("settings.coordinates"), on: options.coordinates, onChange: (coordinates) => app.choose({ coordinates }) }),
      h(Switch, { label: t("settings.numbers"), on: options.numbers, onChange: (numbers) => app.choose({ numbers }) }),
      version && h("p", { class: "faint" }, `goengine ${version} · ${app.state.hello?.network ?? ""}`),
    ),
  });
}

/** @param {{app: App}} props */
function Help({ app }) {
  return h(Dialog, {
    title: t("help.title"),
    kind: "help",
    onClose: () => app.update({ dialog: null }),
    children: h(
      "div",
      null,
      h(
        "dl",
        { class: "keys" },
        BINDINGS.map(({ shown, text }) =>
          h(
            "div",
            { key: text },
            h("dt", null, shown.map((key) => h("kbd", { key }, key.startsWith("key.") ? t(key) : key))),
            h("dd", null, t(text)),
          ),
        ),
        h("div", { key: "tab" }, h("dt", null, h("kbd", null, "Tab")), h("dd", null, t("key.tab"))),
      ),
      h("p", { class: "faint" }, t("help.cross")),
      h("p", { class: "faint" }, t("help.touch")),
    ),
  });
}

/** @param {{app: App}} props */
function Resign({ app }) {
  const act = () => ask(app, "resign");
  return h(Question, { app, title: t("resign"), text: t("resign.sure"), yes: t("resign"), act });
}

/** @param {{app: App}} props */
function Sure({ app }) {
  const { text = "", act = () => {} } = app.state.sure ?? {};
  return h(Question, { app, title: t("sure.title"), text, yes: t("sure.yes"), act });
}

/** @param {{app: App, title: string, text: string, yes: string, act: () => void}} props */
function Question({ app, title, text, yes, act }) {
  const close = () => app.update({ dialog: null, sure: null });
  return h(Dialog, {
    title,
    onClose: close,
    kind: "question",
    children: h(
      "div",
      null,
      h("p", null, text),
      h(
        "footer",
        null,
        h(Button, { label: t("cancel"), kind: "quiet", onClick: close }),
        h(Button, {
          label: yes,
          kind: "main",
          onClick: () => {
            close();
            act();
          },
        }),
      ),
    ),
  });
}
