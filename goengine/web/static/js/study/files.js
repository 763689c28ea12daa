/** Games in and out: a file by button, drop or paste, and the game as an SGF file. */

import { h, useRef, useState } from "../../vendor/goban.js";
import { Button, Dialog, Switch } from "../controls/controls.js";
import { replaceGame } from "../shell/actions.js";
import { t } from "../strings/index.js";

/** @typedef {import("../shell/app.js").App} App */

/** The most bytes that a file may have: what the server takes in one message, with room for base64. */
export const MOST_BYTES = 3_000_000;

/**
 * Send the bytes of a file as they are; the server finds out in which encoding they are written.
 *
 * @param {App} app
 * @param {File} file
 */
export async function loadFile(app, file) {
  if (file.size > MOST_BYTES) {
    return app.toast({ key: "file_too_large", text: "The file is too large." }, true);
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  return replaceGame(app, () => {
    app.send({ do: "load_sgf", base64: toBase64(bytes), name: file.name });
    app.update({ view: "study" });
  });
}

/**
 * @param {App} app
 * @param {string} text
 */
export function loadText(app, text) {
  app.update({ dialog: null });
  replaceGame(app, () => {
    app.send({ do: "load_sgf", text });
    app.update({ view: "study" });
  });
}

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

/**
 * Take dropped files and pasted games anywhere on the page.
 *
 * @param {App} app
 * @param {Document} page
 */
export function listenForFiles(app, page) {
  page.addEventListener("dragover", (event) => {
    event.preventDefault();
    page.documentElement.classList.add("dropping");
  });
  page.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) page.documentElement.classList.remove("dropping");
  });
  page.addEventListener("drop", (event) => {
    event.preventDefault();
    page.documentElement.classList.remove("dropping");
    const file = event.dataTransfer?.files[0];
    const text = event.dataTransfer?.getData("text/plain");
    if (file) void loadFile(app, file);
    else if (text && looksLikeSgf(text)) loadText(app, text);
  });
  page.addEventListener("paste", (event) => {
    const target = /** @type {HTMLElement | null} */ (event.target);
    if (target?.closest("textarea, input")) return;
    const text = event.clipboardData?.getData("text/plain") ?? "";
    const file = event.clipboardData?.files[0];
    if (looksLikeSgf(text)) loadText(app, text);
    else if (file) void loadFile(app, file);
  });
}

/**
 * @param {string} text
 * @returns {boolean}
 */
export function looksLikeSgf(text) {
  return /^\s*\(\s*;/.test(text);
}

/**
 * Hand a text to the user as a file.
 *
 * @param {string} name
 * @param {string} text
 */
export function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/x-go-sgf" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** @param {{app: App}} props */
export function FilePanel({ app }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [values, setValues] = useState(false);
  return h(
    "section",
    { class: "card files", "aria-label": t("file.title") },
    h("input", {
      ref: input,
      type: "file",
      accept: ".sgf,.SGF,.txt",
      hidden: true,
      id: "file",
      "aria-label": t("file.open"),
      onChange: () => {
        const file = input.current?.files?.[0];
        if (file) void loadFile(app, file);
        if (input.current) input.current.value = "";
      },
    }),
    h(
      "div",
      { class: "row" },
      h(Button, { icon: "open", label: t("file.open"), onClick: () => input.current?.click() }),
      h(Button, { icon: "paste", label: t("file.paste"), onClick: () => app.update({ dialog: "paste" }) }),
      h(Button, {
        icon: "save",
        label: t("file.save"),
        onClick: () => app.send({ do: "get_sgf", analysis: values, language: document.documentElement.lang }),
      }),
    ),
    h(Switch, { label: t("file.analysis"), on: values, onChange: setValues }),
    h("p", { class: "faint" }, t("file.drop")),
  );
}

/** @param {{app: App}} props */
export function PasteDialog({ app }) {
  const [text, setText] = useState("");
  const close = () => app.update({ dialog: null });
  return h(Dialog, {
    title: t("file.paste"),
    onClose: close,
    children: h(
      "form",
      {
        onSubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          if (text.trim()) loadText(app, text);
        },
      },
      h("textarea", {
        rows: 10,
        "aria-label": t("file.paste"),
        placeholder: "(;GM[1]FF[4]SZ[19] …)",
        value: text,
        onInput: (/** @type {Event} */ event) =>
          setText(/** @type {HTMLTextAreaElement} */ (event.currentTarget).value),
      }),
      h(
        "footer",
        null,
        h(Button, { label: t("cancel"), kind: "quiet", onClick: close }),
        h("button", { type: "submit", class: "button main", disabled: !text.trim() }, t("file.load")),
      ),
    ),
  });
}
