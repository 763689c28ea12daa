/** The comment of a node, and the tools that set marks on the board. */

import { h, useEffect, useRef, useState } from "../../vendor/goban.js";
import { Icon } from "../controls/icons.js";
import { t } from "../strings/index.js";

/** @typedef {import("../shell/app.js").App} App */
/** @typedef {import("../shell/app.js").Tool} Tool */
/** @typedef {import("../link/messages.js").Table} Table */

/** Milliseconds without a key after which a comment is sent. */
const REST = 600;
const TOOLS = /** @type {Tool[]} */ (["triangle", "square", "circle", "cross", "label", "number"]);

/** @param {{app: App}} props */
export function CommentPanel({ app }) {
  const table = /** @type {Table} */ (app.table.shown());
  const node = table.cursor;
  const kept = table.tree.nodes[node]?.comment ?? "";
  const name = table.tree.nodes[node]?.name;
  const [text, setText] = useState(kept);
  const draft = useRef({ node, text: kept, sent: kept });
  const timer = useRef(/** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined));

  const send = () => {
    clearTimeout(timer.current);
    const { node: its, text: now, sent } = draft.current;
    if (now !== sent) {
      app.send({ do: "annotate", node: its, comment: now });
      draft.current.sent = now;
    }
  };

  useEffect(() => {
    const typing = draft.current.text !== draft.current.sent;
    if (draft.current.node !== node || !typing) {
      send();
      draft.current = { node, text: kept, sent: kept };
      setText(kept);
    }
  }, [node, kept]);
  useEffect(() => send, []);

  return h(
    "section",
    { class: "card", "aria-label": t("comment.title") },
    h("h3", null, t("comment.title"), name && h("b", { class: "node-name" }, name)),
    h(
      "div",
      { class: "tools", role: "group", "aria-label": t("marks.title") },
      TOOLS.map((tool) =>
        h(
          "button",
          {
            key: tool,
            type: "button",
            class: "button bare",
            title: t(`marks.${tool}`),
            "aria-label": t(`marks.${tool}`),
            "aria-pressed": app.state.tool === tool ? "true" : "false",
            onClick: () => app.update({ tool: app.state.tool === tool ? null : tool }),
          },
          tool === "label" ? "A" : tool === "number" ? "1" : h(Icon, { name: tool }),
        ),
      ),
      app.state.tool && h("small", null, t("marks.how")),
    ),
    h("textarea", {
      id: "comment",
      rows: 2,
      value: text,
      "aria-label": t("comment.title"),
      placeholder: t("comment.empty"),
      onInput: (/** @type {Event} */ event) => {
        const now = /** @type {HTMLTextAreaElement} */ (event.currentTarget).value;
        draft.current = { ...draft.current, node, text: now };
        setText(now);
        clearTimeout(timer.current);
        timer.current = setTimeout(send, REST);
      },
      onBlur: send,
    }),
  );
}
