/** The panel of a study, from the game's file down to its mistakes. */

import { Fragment, h } from "../../vendor/goban.js";
import { playerText } from "../panels/play.js";
import { colourName, resultText, t, translated } from "../strings/index.js";
import { AnalysisBar, AnalysisDetails } from "./analysis.js";
import { CommentPanel } from "./comment.js";
import { FilePanel } from "./files.js";
import { Graph } from "./graph.js";
import { ReviewPanel } from "./review.js";
import { TreeView } from "./tree_view.js";

/** @typedef {import("../shell/app.js").App} App */
/** @typedef {import("../link/messages.js").Table} Table */

/** @param {{app: App}} props */
export function StudyPanel({ app }) {
  const table = /** @type {Table} */ (app.table.shown());
  return h(
    Fragment,
    null,
    h(FilePanel, { app }),
    table.notices.length > 0 &&
      h(
        "ul",
        { class: "notices" },
        table.notices.map((notice, index) => {
          const text = typeof notice === "string" ? notice : translated(`notice.${notice.key}`, notice.text, notice.args);
          return h("li", { key: index }, text);
        }),
      ),
    h(Game, { table }),
    h(AnalysisBar, { app }),
    h(
      "section",
      { class: "card", "aria-label": t("tree.title") },
      h(TreeView, { app }),
    ),
    h(CommentPanel, { app }),
    h(AnalysisDetails, { app }),
    h(
      "section",
      { class: "card", "aria-label": t("graph.title") },
      h("h3", null, t("graph.title")),
      h(Graph, { app }),
    ),
    h(ReviewPanel, { app }),
  );
}

/**
 * Who plays, what the record is called and how it ended.
 *
 * @param {{table: Table}} props
 */
function Game({ table }) {
  const name = (/** @type {"B" | "W"} */ colour) => `${colourName(colour)} ${playerText(table.players[colour])[0]}`;
  const more = [table.name, table.result && resultText(table.result)].filter(Boolean).join(" · ");
  return h("p", { class: "game" }, `${name("B")} – ${name("W")}`, more && h("small", null, ` · ${more}`));
}
