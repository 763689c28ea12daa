/** The review of a whole game: its start, its progress, its numbers and the list of mistakes. */

import { h } from "../../vendor/goban.js";
import { classOf } from "../board/overlay_data.js";
import { shapePath } from "../board/overlay.js";
import { Button, Choice } from "../controls/controls.js";
import { goTo, mistakesOf } from "../shell/actions.js";
import { colourName, percent, t } from "../strings/index.js";

/** @typedef {import("../shell/app.js").App} App */
/** @typedef {import("../link/messages.js").Review} Review */
/** @typedef {import("../link/messages.js").Table} Table */

const VISITS = [10, 50, 200, 800];

/** @param {{app: App}} props */
export function ReviewPanel({ app }) {
  const { review, options } = app.state;
  const running = review?.running ?? false;
  return h(
    "section",
    { class: "card review", "aria-label": t("review.title") },
    h("h3", null, t("review.title")),
    h(
      "div",
      { class: "row" },
      running
        ? h(Button, { label: t("review.stop"), onClick: () => app.send({ do: "review", stop: true }) })
        : h(Button, {
            icon: "count",
            label: t("review.start"),
            onClick: () => app.send({ do: "review", visits: options.reviewVisits }),
          }),
      h(Choice, {
        label: t("review.visits"),
        value: String(options.reviewVisits),
        choices: VISITS.map((visits) => [String(visits), String(visits)]),
        onChange: (visits) => app.choose({ reviewVisits: Number(visits) }),
      }),
    ),
    running && review && h(Progress, { review }),
    review?.summary && h(Summary, { app, review, summary: review.summary }),
  );
}

/** @param {{review: Review}} props */
function Progress({ review }) {
  return h(
    "div",
    { class: "progress" },
    h("progress", { max: Math.max(1, review.total), value: review.done, "aria-label": t("review.title") }),
    h("span", null, t("review.progress", { done: review.done, total: review.total })),
  );
}

/** @param {{app: App, review: Review, summary: NonNullable<Review["summary"]>}} props */
function Summary({ app, review, summary }) {
  const mistakes = mistakesOf(review);
  const table = /** @type {Table} */ (app.table.shown());
  return h(
    "div",
    null,
    h(
      "table",
      { class: "summary" },
      h("caption", { class: "unseen" }, t("review.title")),
      h(
        "thead",
        null,
        h("tr", null, h("td", null), h("th", { scope: "col" }, t("review.accuracy")), h("th", { scope: "col" }, t("review.mean_lost"))),
      ),
      h(
        "tbody",
        null,
        /** @type {const} */ (["B", "W"]).map((colour) =>
          h(
            "tr",
            { key: colour },
            h("th", { scope: "row" }, colourName(colour)),
            h("td", null, accuracy(summary[colour].accuracy)),
            h("td", null, summary[colour].mean_lost?.toFixed(2) ?? "–"),
          ),
        ),
      ),
    ),
    h("h4", null, t("review.mistakes")),
    mistakes.length
      ? h(
          "ol",
          { class: "mistakes" },
          mistakes.map((mistake) => {
            const { name, shape } = classOf(mistake.lost);
            return h(
              "li",
              { key: mistake.node },
              h(
                "button",
                {
                  type: "button",
                  "aria-current": mistake.node === table.cursor ? "true" : undefined,
                  onClick: () => goTo(app, mistake.node),
                },
                h("svg", { class: `candidate ${name}`, viewBox: "0 0 100 100", "aria-hidden": "true" }, shapePath(shape, { x: 50, y: 50 })),
                h("b", null, `${mistake.number}`),
                h("span", null, `${colourName(mistake.colour)} ${word(mistake.move)}`),
                h("span", { class: "faint" }, mistake.best ? t("review.better", { move: word(mistake.best) }) : ""),
                h("em", null, `−${mistake.lost.toFixed(1)}`),
              ),
            );
          }),
        )
      : h("p", { class: "faint" }, t("review.none")),
  );
}

/** @param {number | undefined} hundredths */
function accuracy(hundredths) {
  return hundredths === undefined ? "–" : percent(hundredths / 100);
}

/** @param {string} move */
function word(move) {
  return move === "pass" ? t("pass") : move;
}
