/** The page: header, board, panel, dialogs; drawn again whenever the state changes. */

import { Fragment, h } from "../../vendor/goban.js";
import { Board } from "../board/board.js";
import { Button } from "../controls/controls.js";
import { InsidePanel } from "../inside/inside.js";
import { PlayPanel } from "../panels/play.js";
import { lineThrough, moveNumber } from "../state/tree.js";
import { StudyPanel } from "../study/study.js";
import { t } from "../strings/index.js";
import { step, toEnd, toStart } from "./actions.js";
import { Dialogs } from "./dialogs.js";
import { LinkNote, StartNote, Toasts } from "./notes.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./app.js").View} View */

const VIEWS = /** @type {View[]} */ (["play", "study", "inside"]);
const PANELS = { play: PlayPanel, study: StudyPanel, inside: InsidePanel };

/** @param {{app: App}} props */
export function Page({ app }) {
  const { view } = app.state;
  const table = app.table.shown();
  return h(
    Fragment,
    null,
    h(Header, { app }),
    h(LinkNote, { app }),
    table
      ? h(
          "main",
          { class: `table-view ${view}` },
          h("h1", { class: "unseen" }, "goengine"),
          h("div", { class: "board-side" }, h(Board, { app }), h(Navigation, { app })),
          h(
            "div",
            { class: "panel", role: "tabpanel", id: "panel", "aria-labelledby": `tab-${view}` },
            h(StartNote, { app }),
            h(PANELS[view], { app, key: view }),
          ),
        )
      : h("main", { class: "waiting" }, h(StartNote, { app }), h("p", { role: "status" }, t("link.connecting"))),
    h(Dialogs, { app }),
    h(Toasts, { app }),
  );
}

/** @param {{app: App}} props */
function Header({ app }) {
  return h(
    "header",
    { class: "top" },
    h("a", { class: "brand", href: "./", "aria-label": "goengine" }, h("img", { src: "static/img/icon.svg", alt: "", width: 28, height: 28 }), h("span", null, "goengine")),
    h(
      "div",
      { class: "tabs", role: "tablist", "aria-label": t("views") },
      VIEWS.map((view) => h(Tab, { key: view, app, view })),
    ),
    h(
      "div",
      { class: "top-buttons" },
      h(Button, { icon: "plus", bare: true, kind: "quiet", label: t("new.title"), keys: "N", onClick: () => app.update({ dialog: "new" }) }),
      h(Button, { icon: "help", bare: true, kind: "quiet", label: t("help.title"), keys: "?", onClick: () => app.update({ dialog: "help" }) }),
      h(Button, { icon: "gear", bare: true, kind: "quiet", label: t("settings.title"), onClick: () => app.update({ dialog: "settings" }) }),
    ),
  );
}

/** @param {{app: App, view: View}} props */
function Tab({ app, view }) {
  const on = app.state.view === view;
  const turn = (/** @type {KeyboardEvent} */ event) => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!by) return;
    const next = VIEWS[(VIEWS.indexOf(view) + by + VIEWS.length) % VIEWS.length] ?? view;
    app.update({ view: next });
    document.getElementById(`tab-${next}`)?.focus();
  };
  return h(
    "button",
    {
      type: "button",
      role: "tab",
      id: `tab-${view}`,
      "aria-selected": on ? "true" : "false",
      "aria-controls": "panel",
      tabIndex: on ? 0 : -1,
      onClick: () => app.update({ view }),
      onKeyDown: turn,
    },
    t(`view.${view}`),
  );
}

/** @param {{app: App}} props */
function Navigation({ app }) {
  const table = app.table.shown();
  if (!table) return null;
  const number = moveNumber(table.tree, table.cursor);
  const end = lineThrough(table.tree, table.cursor).filter((id) => table.tree.nodes[id]?.move).length;
  const start = table.cursor === table.tree.root;
  const last = !table.tree.nodes[table.cursor]?.children.length;
  const one = (
    /** @type {string} */ icon,
    /** @type {string} */ text,
    /** @type {string} */ keys,
    /** @type {boolean} */ disabled,
    /** @type {() => void} */ onClick,
  ) => h(Button, { icon, bare: true, kind: "quiet", label: t(text), keys, disabled, onClick });
  return h(
    "nav",
    { class: "navigation", "aria-label": t("moves") },
    one("first", "key.first", "Home", start, () => toStart(app)),
    one("back", "key.back", "←", start, () => step(app, -1)),
    h("output", { "aria-live": "off" }, h("b", null, number), h("span", null, ` / ${end}`)),
    one("forward", "key.forward", "→", last, () => step(app, 1)),
    one("last", "key.last", "End", last, () => toEnd(app)),
  );
}
