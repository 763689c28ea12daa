/** Win rate (area) and score (broken line) over the moves; a click or the arrow keys go to a move. */

import { h, useMemo } from "../../vendor/goban.js";
import { leadText } from "../board/overlay_data.js";
import { goTo } from "../shell/actions.js";
import { colourName, percent, t } from "../strings/index.js";
import { areaPath, graphPoints, leadRange, linePath } from "./graph_data.js";

/** @typedef {import("../shell/app.js").App} App */
/** @typedef {import("../link/messages.js").Table} Table */
/** @typedef {import("./graph_data.js").Point} Point */

const WIDTH = 600;
const HEIGHT = 160;
/** Points lost from which a move gets a dot. */
const MISTAKE = 3;

/** @param {{app: App}} props */
export function Graph({ app }) {
  const table = /** @type {Table} */ (app.table.shown());
  const live = app.state.analysis;
  const points = useMemo(
    () => graphPoints(table.tree, table.cursor, live),
    [table.tree, table.cursor, live?.node, live?.winrate, live?.lead],
  );
  const at = Math.max(0, points.findIndex(({ node }) => node === table.cursor));
  const known = points.some(({ winrate }) => winrate !== null);
  const go = (/** @type {PointerEvent} */ event) => {
    const box = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    goTo(app, points[Math.round(share * (points.length - 1))]?.node);
  };
  const current = points[at];
  return h(
    "div",
    { class: "graph" },
    h(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: "none",
        role: "slider",
        tabIndex: 0,
        "aria-label": t("graph.title"),
        "aria-valuemin": 0,
        "aria-valuemax": points.length - 1,
        "aria-valuenow": at,
        "aria-valuetext": current ? pointText(current) : "",
        onPointerDown: (/** @type {PointerEvent} */ event) => {
          /** @type {Element} */ (event.currentTarget).setPointerCapture(event.pointerId);
          go(event);
        },
        onPointerMove: (/** @type {PointerEvent} */ event) => event.buttons === 1 && go(event),
      },
      h(Lines, { points }),
      known &&
        points.map(({ node, lost, winrate }, index) =>
          lost >= MISTAKE && winrate !== null
            ? h("rect", {
                key: node,
                class: lost >= 2 * MISTAKE ? "dot bad" : "dot poor",
                x: across(index, points) - 3,
                y: (1 - winrate) * HEIGHT - 5,
                width: 6,
                height: 10,
              })
            : null,
        ),
      h("line", { class: "now", x1: across(at, points), x2: across(at, points), y1: 0, y2: HEIGHT }),
    ),
    h(
      "p",
      { class: "legend" },
      known
        ? [
            h("span", { key: "w", class: "key area" }, t("graph.winrate", { colour: colourName("B") })),
            h("span", { key: "l", class: "key line" }, t("graph.lead", { points: leadRange(points) })),
          ]
        : t("graph.empty"),
    ),
  );
}

/**
 * @param {number} index
 * @param {Point[]} points
 */
function across(index, points) {
  return points.length > 1 ? (index / (points.length - 1)) * WIDTH : 0;
}

/** @param {Point} point */
function pointText({ number, winrate, lead }) {
  const values = winrate === null ? "" : `, ${colourName("B")} ${percent(winrate)}`;
  return `${t("move.number", { number })}${values}${lead === null ? "" : `, ${leadText(lead)}`}`;
}

/** @param {{points: Point[]}} props */
function Lines({ points }) {
  return useMemo(() => {
    const range = leadRange(points);
    const winrates = points.map(({ winrate }) => (winrate === null ? null : 1 - winrate));
    const leads = points.map(({ lead }) => (lead === null ? null : 0.5 - lead / (2 * range)));
    return h(
      "g",
      null,
      h("rect", { class: "ground", width: WIDTH, height: HEIGHT }),
      h("path", { class: "area", d: areaPath(winrates, WIDTH, HEIGHT) }),
      h("line", { class: "half", x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
      h("path", { class: "winrate", d: linePath(winrates, WIDTH, HEIGHT) }),
      h("path", { class: "lead", d: linePath(leads, WIDTH, HEIGHT) }),
    );
  }, [points]);
}
