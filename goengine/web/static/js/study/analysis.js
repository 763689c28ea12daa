/** The live analysis: its switch, what the board shows of it, and the candidate moves as a table. */

import { h } from "../../vendor/goban.js";
import { candidateText, classOf, countText, leadText, winrateFor } from "../board/overlay_data.js";
import { shapePath } from "../board/overlay.js";
import { Button, Choice, Switch } from "../controls/controls.js";
import { analyse, playAt } from "../shell/actions.js";
import { vertexOf } from "../state/coords.js";
import { colourName, percent, t } from "../strings/index.js";

/** @typedef {import("../shell/app.js").App} App */
/** @typedef {import("../link/messages.js").Candidate} Candidate */
/** @typedef {import("../link/messages.js").Table} Table */
/** @typedef {import("../shell/options.js").Options} Options */

const ROWS = 8;
const VISITS = [100, 300, 1000, 3000, 10_000, 100_000];

/**
 * The switch of the live analysis, and who is ahead; as high with an answer as without one.
 *
 * @param {{app: App}} props
 */
export function AnalysisBar({ app }) {
  const analysis = app.analysis();
  const table = /** @type {Table} */ (app.table.shown());
  const { on } = table.analysing;
  const done = on && Boolean(app.state.analysis?.done);
  return h(
    "section",
    { class: "card analysis", "aria-label": t("analysis.title") },
    h(
      "div",
      { class: "row" },
      h(Button, {
        icon: "engine",
        label: t(done ? "analysis.off" : on ? "analysis.stop" : "analysis.start"),
        keys: t("key.space"),
        kind: on ? "on" : "main",
        pressed: on,
        onClick: () => analyse(app),
      }),
      h(
        "output",
        { class: "visits", "aria-live": "off" },
        analysis ? t(done ? "analysis.done" : "analysis.visits", { visits: countText(analysis.visits) }) : "",
      ),
    ),
    h(Balance, { app }),
  );
}

/**
 * What the board shows of the analysis, and the candidate moves as a table.
 *
 * @param {{app: App}} props
 */
export function AnalysisDetails({ app }) {
  const { options } = app.state;
  const analysis = app.analysis();
  const { on } = /** @type {Table} */ (app.table.shown()).analysing;
  return h(
    "section",
    { class: "card analysis", "aria-label": t("analysis.shown") },
    h(
      "div",
      { class: "switches" },
      h(Switch, { label: t("show.candidates"), on: options.candidates, onChange: (candidates) => app.choose({ candidates }) }),
      h(Switch, { label: t("show.policy"), on: options.policy, onChange: (policy) => app.choose({ policy }) }),
      h(Switch, { label: t("show.ownership"), on: options.ownership, onChange: (ownership) => app.choose({ ownership }) }),
      h(Choice, {
        label: t("analysis.limit"),
        value: String(options.visits),
        choices: VISITS.map((visits) => [String(visits), countText(visits)]),
        onChange: (visits) => {
          app.choose({ visits: Number(visits) });
          if (on) analyse(app, true);
        },
      }),
      h(Choice, {
        label: t("show.label"),
        value: options.label,
        choices: /** @type {Options["label"][]} */ (["lost", "winrate", "lead", "visits"]).map((label) => [
          label,
          t(`show.label.${label}`),
        ]),
        onChange: (label) => app.choose({ label }),
      }),
    ),
    analysis && analysis.candidates.length > 0 && h(Candidates, { app, candidates: analysis.candidates }),
  );
}

/** @param {{app: App}} props */
function Balance({ app }) {
  const analysis = app.analysis();
  const winrate = analysis?.winrate ?? null;
  const lead = analysis?.lead;
  const chance = (/** @type {number | null} */ share) => (share === null ? "–" : percent(share));
  return h(
    "div",
    { class: "balance" },
    h(
      "div",
      {
        role: "meter",
        class: winrate === null ? "meter unknown" : "meter",
        "aria-valuemin": 0,
        "aria-valuemax": 100,
        "aria-valuenow": Math.round((winrate ?? 0.5) * 100),
        "aria-valuetext": chance(winrate),
        "aria-label": t("winrate.of", { colour: colourName("B") }),
      },
      h("div", { style: { width: `${((winrate ?? 0) * 100).toFixed(1)}%` } }),
    ),
    h(
      "p",
      null,
      h("span", null, `${colourName("B")} ${chance(winrate)}`),
      typeof lead === "number" && h("b", null, leadText(lead)),
      h("span", null, `${colourName("W")} ${chance(winrate === null ? null : 1 - winrate)}`),
    ),
  );
}

/** @param {{app: App, candidates: Candidate[]}} props */
function Candidates({ app, candidates }) {
  const table = /** @type {Table} */ (app.table.shown());
  const toPlay = app.position()?.toPlay ?? table.to_play;
  const best = candidates.find(({ order }) => order === 0)?.lead;
  const show = (/** @type {Candidate | null} */ one) => app.update({ variation: one?.pv ?? app.state.pinned });
  return h(
    "table",
    { class: "candidates", onMouseLeave: () => show(null) },
    h("caption", { class: "unseen" }, t("show.candidates")),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        ["move", "lost", "winrate", "lead", "visits"].map((name) =>
          h("th", { key: name, scope: "col" }, t(`column.${name}`)),
        ),
      ),
    ),
    h(
      "tbody",
      null,
      candidates.slice(0, ROWS).map((one) => {
        const { name, shape } = classOf(one.lost);
        return h(
          "tr",
          { key: one.move, onMouseEnter: () => show(one) },
          h(
            "th",
            { scope: "row" },
            h(
              "button",
              {
                type: "button",
                class: "move",
                title: one.pv.join(" "),
                onFocus: () => show(one),
                onBlur: () => show(null),
                onClick: (/** @type {PointerEvent} */ event) => {
                  if (event.pointerType === "touch" && app.state.pinned?.[0] !== one.move) {
                    app.update({ pinned: one.pv, variation: one.pv });
                    return;
                  }
                  const vertex = vertexOf(one.move, table.size);
                  if (vertex) playAt(app, vertex);
                  else app.send({ do: "play", move: "pass" });
                },
              },
              h("svg", { class: `candidate ${name}`, viewBox: "0 0 100 100", "aria-hidden": "true" }, shapePath(shape, { x: 50, y: 50 })),
              one.move === "pass" ? t("pass") : one.move,
            ),
          ),
          h("td", null, candidateText(one, toPlay, "lost", best)),
          h("td", null, percent(winrateFor(one.winrate, toPlay))),
          h("td", null, candidateText(one, toPlay, "lead")),
          h("td", null, countText(one.visits)),
        );
      }),
    ),
  );
}
