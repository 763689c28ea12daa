/** The panel of a game: players, what is going on, the buttons, the count and the result. */

import { Fragment, h, useEffect, useRef } from "../../vendor/goban.js";
import { Button } from "../controls/controls.js";
import { ask, changeSides, isOver, isPast, mayPlay, mayUndo, pass, toEnd, undo } from "../shell/actions.js";
import { other } from "../state/coords.js";
import { lineThrough, moveNumber } from "../state/tree.js";
import { leadText, shownCount, winrateFor } from "../board/overlay_data.js";
import { colourName, percent, rankText, resultText, t, translated } from "../strings/index.js";
import { ClockFace } from "./clock.js";

/** @typedef {import("../shell/app.js").App} App */
/** @typedef {import("../link/messages.js").Colour} Colour */
/** @typedef {import("../link/messages.js").Player} Player */
/** @typedef {import("../link/messages.js").Table} Table */

/**
 * @param {Player} player
 * @returns {[string, string]} a name and what is known about the strength
 */
export function playerText(player) {
  if (player.kind === "human") return [player.name || t("you"), ""];
  if (player.rank) return ["goengine", rankText(player.rank)];
  if (player.seconds) return ["goengine", t("play.seconds", { seconds: player.seconds })];
  return ["goengine", player.visits ? t("play.visits", { visits: player.visits }) : t("play.bare")];
}

/** @param {{app: App}} props */
export function PlayPanel({ app }) {
  const table = /** @type {Table} */ (app.table.shown());
  const humans = Object.values(table.players).filter(({ kind }) => kind === "human").length;
  const root = !table.tree.nodes[table.cursor]?.parent;
  const over = isOver(table);
  const free = mayPlay(app);
  return h(
    Fragment,
    null,
    h(
      "section",
      { class: "players", "aria-label": t("play.players") },
      /** @type {Colour[]} */ (["B", "W"]).map((colour) => h(PlayerCard, { key: colour, app, table, colour })),
    ),
    h(Status, { app, table }),
    table.counting
      ? h(Counting, { app, table })
      : h(
          "section",
          { class: "actions", "aria-label": t("play.actions") },
          h(Button, { icon: "undo", label: t("undo"), keys: "U", disabled: !mayUndo(table), onClick: () => undo(app) }),
          h(Button, { icon: "hint", label: t("hint"), keys: "H", disabled: !free, onClick: () => ask(app, "hint") }),
          h(Button, { icon: "pass", label: t("pass"), keys: "P", disabled: !free, onClick: () => pass(app) }),
          h(Button, { icon: "count", label: t("count"), disabled: root || table.thinking, onClick: () => ask(app, "count") }),
          h(Button, {
            icon: "engine",
            label: t("play.engine_move"),
            keys: "Enter",
            disabled: over || table.thinking,
            onClick: () => ask(app, "engine_move"),
          }),
          !humans && !over
            ? h(Button, {
                icon: table.paused ? "forward" : "pause",
                label: t(table.paused ? "play.resume" : "play.pause"),
                disabled: !table.playing,
                onClick: () => app.send({ do: "pause", on: !table.paused }),
              })
            : h(Button, {
                icon: "flag",
                label: t("resign"),
                disabled: over || !humans,
                onClick: () => app.update({ dialog: "resign" }),
              }),
        ),
    !table.counting && h(Breakdown, { count: shownCount(table) }),
    app.state.hint && h(Hint, { app, table }),
    h(
      "section",
      { class: "facts" },
      h("dl", null, facts(table).map(([name, text]) => h("div", { key: name }, h("dt", null, name), h("dd", null, text)))),
      h(Button, { icon: "plus", label: t("new.title"), keys: "N", kind: "main", onClick: () => app.update({ dialog: "new" }) }),
    ),
  );
}

/**
 * @param {Table} table
 * @returns {[string, string][]}
 */
function facts(table) {
  return [
    [t("new.size"), `${table.size}×${table.size}`],
    [t("rules"), translated(`rules.${table.rules}`, table.rules)],
    [t("komi"), String(table.komi)],
    [t("new.handicap"), table.handicap ? t("new.stones", { stones: table.handicap }) : t("new.even")],
  ];
}

/** @param {{app: App, table: Table, colour: Colour}} props */
function PlayerCard({ app, table, colour }) {
  const [name, strength] = playerText(table.players[colour]);
  const position = app.position();
  const turn = position?.toPlay === colour && !isOver(table);
  return h(
    "article",
    { class: `player ${turn ? "turn" : ""}` },
    h("span", { class: `stone ${colour === "B" ? "black" : "white"}`, "aria-hidden": "true" }),
    h(
      "div",
      { class: "who" },
      h("h3", null, h("span", { class: "unseen" }, `${colourName(colour)}: `), name),
      h("p", null, strength || colourName(colour)),
    ),
    h(
      "div",
      { class: "taken", title: t("play.captures") },
      h("b", null, position?.captures[colour] ?? 0),
      h("small", null, t("play.captures")),
    ),
    h(Button, {
      icon: "engine",
      bare: true,
      word: t("play.engine"),
      kind: "quiet",
      pressed: table.players[colour].kind === "engine",
      label: t("play.by_engine", { colour: colourName(colour) }),
      disabled: isOver(table) || Boolean(table.counting),
      onClick: () => changeSides(app, colour),
    }),
    table.clock &&
      h(ClockFace, { clock: table.clock, colour, out: lostOnTime(table, colour), onLate: () => ask(app, "clock_claim") }),
  );
}

/**
 * @param {Table} table
 * @param {Colour} colour
 */
function lostOnTime({ result, reason }, colour) {
  return reason === "time" && Boolean(result?.startsWith(other(colour)));
}

/** @param {{app: App, table: Table}} props */
function Status({ app, table }) {
  const toPlay = app.position()?.toPlay ?? table.to_play;
  if (table.result) {
    const colour = colourName(table.result.startsWith("B") ? "W" : "B");
    const reason = table.reason ? translated(`reason.${table.reason}`, table.reason, { colour }) : "";
    return h(
      "section",
      { class: "status over", role: "status" },
      h("b", null, resultText(table.result)),
      reason && h("span", null, reason),
    );
  }
  if (table.counting) return h("section", { class: "status", role: "status" }, t("count.how"));
  if (isPast(table)) return h(Past, { app, table, toPlay });
  const waits = table.thinking || (table.playing && !table.paused && table.players[toPlay].kind === "engine");
  const text = t(waits ? "play.thinking" : "play.to_move", { colour: colourName(toPlay) });
  const move = table.tree.nodes[table.cursor]?.move;
  const passed = move?.[1] === "pass" ? `${t("play.passed", { colour: colourName(move[0]) })} ` : "";
  const busy = table.thinking;
  return h("section", { class: `status ${busy ? "busy" : ""}`, role: "status" }, h("span", null, passed, text));
}

/** @param {{app: App, table: Table, toPlay: Colour}} props */
function Past({ app, table, toPlay }) {
  const number = moveNumber(table.tree, table.cursor);
  const total = lineThrough(table.tree, table.cursor).filter((id) => table.tree.nodes[id]?.move).length;
  return h(
    "section",
    { class: "status past", role: "status" },
    h("span", null, t("play.past", { number, total }), " · ", t("play.to_move", { colour: colourName(toPlay) })),
    h(Button, { icon: "last", label: t("key.last"), keys: "End", kind: "quiet", onClick: () => toEnd(app) }),
  );
}

/** @param {{app: App, table: Table}} props */
function Counting({ app, table }) {
  return h(
    "section",
    { class: "counting" },
    h("p", { class: "score" }, resultText(table.counting?.score ?? "")),
    h(Breakdown, { count: table.counting }),
    h(
      "div",
      { class: "row" },
      h(Button, { label: t("count.accept"), kind: "main", onClick: () => ask(app, "accept_count") }),
      h(Button, { label: t("count.cancel"), onClick: () => ask(app, "cancel_count") }),
    ),
  );
}

const PARTS = /** @type {const} */ (["territory", "area", "prisoners", "komi", "handicap"]);

/**
 * What the score of a count is made of.
 *
 * @param {{count: import("../link/messages.js").Count | null}} props
 */
function Breakdown({ count }) {
  const points = count?.breakdown;
  if (!points) return null;
  const line = (/** @type {Colour} */ colour) =>
    PARTS.flatMap((part) => (points[colour][part] ? [`${t(`count.${part}`)} ${points[colour][part]}`] : [])).join(" + ");
  const sum = (/** @type {Colour} */ colour) => PARTS.reduce((all, part) => all + (points[colour][part] ?? 0), 0);
  return h(
    "table",
    { class: "breakdown" },
    h("caption", { class: "unseen" }, t("count")),
    h(
      "tbody",
      null,
      /** @type {Colour[]} */ (["B", "W"]).map((colour) =>
        h("tr", { key: colour }, h("th", { scope: "row" }, colourName(colour)), h("td", null, line(colour)), h("td", null, h("b", null, sum(colour)))),
      ),
    ),
  );
}

/**
 * The best move; its variation is seen under the mouse, and stays after a click.
 *
 * @param {{app: App, table: Table}} props
 */
function Hint({ app, table }) {
  const card = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => card.current?.scrollIntoView({ block: "nearest" }), [app.state.hint]);
  const hint = /** @type {import("../link/messages.js").Hint} */ (app.state.hint);
  const toPlay = app.position()?.toPlay ?? table.to_play;
  return h(
    "section",
    { class: "hint-card", ref: card },
    h("p", null, t("hint.text", { move: hint.move === "pass" ? t("pass") : hint.move }), " ", h("small", null, `${percent(winrateFor(hint.winrate, toPlay))} · ${leadText(hint.lead)}`)),
    h(
      "button",
      {
        type: "button",
        class: "button",
        "aria-pressed": app.state.pinned ? "true" : "false",
        onPointerEnter: (/** @type {PointerEvent} */ event) =>
          event.pointerType === "mouse" && app.update({ variation: hint.pv }),
        onPointerLeave: () => app.update({ variation: app.state.pinned }),
        onClick: () => {
          const pinned = app.state.pinned ? null : hint.pv;
          app.update({ pinned, variation: pinned });
        },
      },
      t("hint.show"),
    ),
  );
}
