/** See inside: the planes that the network is given, each explained, and what it answers. */

import { Fragment, h, useEffect } from "../../vendor/goban.js";
import { Button } from "../controls/controls.js";
import { leadText, winrateFor } from "../board/overlay_data.js";
import { colourName, percent, t, translated } from "../strings/index.js";
import { PlanePicture } from "./plane_picture.js";
import { planeTitle } from "./plane_text.js";

/** @typedef {import("../shell/app.js").App} App */
/** @typedef {import("../link/messages.js").Planes} Planes */
/** @typedef {import("../link/messages.js").PlaneGroup} PlaneGroup */
/** @typedef {import("../link/messages.js").Table} Table */

/** The plane number that stands for the network's answer. */
export const ANSWER = -1;

/** @param {{app: App}} props */
export function InsidePanel({ app }) {
  const { planes, link, hello } = app.state;
  const table = /** @type {Table} */ (app.table.shown());
  const known = app.table.knows(table.cursor);
  useEffect(() => {
    if (known && link.status === "open") app.send({ do: "planes", node: table.cursor });
  }, [table.cursor, table.tree.root, known, link.status, hello?.ready]);
  return h(
    Fragment,
    null,
    h("section", { class: "card lead" }, h("h3", null, t("inside.title")), h("p", null, t("inside.text"))),
    planes
      ? h(
          Fragment,
          null,
          h(Answer, { app, planes }),
          planes.groups.map((group) => h(Group, { key: group.name, app, group, size: planes.size })),
        )
      : h("p", { class: "faint wait", role: "status" }, t("inside.wait")),
  );
}

/** @param {{app: App, planes: Planes}} props */
function Answer({ app, planes }) {
  const { answer } = planes;
  const table = /** @type {Table} */ (app.table.shown());
  const toPlay = app.position()?.toPlay ?? table.to_play;
  if (!answer) return null;
  const most = Math.max(1e-9, ...answer.top.map(({ prior }) => prior));
  const on = app.state.plane === ANSWER;
  return h(
    "section",
    { class: "card answer", "aria-label": t("inside.answer") },
    h("h3", null, t("inside.answer")),
    h("p", null, t("inside.answer.text", { colour: colourName(toPlay) })),
    h(
      "ol",
      { class: "bars" },
      answer.top.slice(0, 8).map(({ move, prior }) =>
        h(
          "li",
          { key: move },
          h("b", null, move === "pass" ? t("pass") : move),
          h("progress", { max: most, value: prior, "aria-label": move }),
          h("span", null, percent(prior, 1)),
        ),
      ),
    ),
    answer.winrate !== null &&
      h(
        "p",
        { class: "verdict" },
        h("span", null, t("winrate.of", { colour: colourName(toPlay) })),
        h("b", null, percent(winrateFor(answer.winrate, toPlay), 1)),
        answer.lead !== null && h("span", null, t("inside.lead")),
        answer.lead !== null && h("b", null, leadText(answer.lead)),
      ),
    h(Button, {
      label: t("inside.answer.show"),
      pressed: on,
      onClick: () => app.update({ plane: on ? null : ANSWER }),
    }),
  );
}

/** @param {{app: App, group: PlaneGroup, size: number}} props */
function Group({ app, group, size }) {
  const shown = group.planes.find(({ index }) => index === app.state.plane);
  const first = group.planes[0]?.index ?? 0;
  const numbers = group.planes.length > 1 ? `${first + 1}–${first + group.planes.length}` : `${first + 1}`;
  const title = translated(`plane.${group.name}`, group.title);
  return h(
    "section",
    { class: "card planes", "aria-label": title },
    h("h3", null, h("small", null, numbers), title),
    h("p", null, translated(`plane.${group.name}.text`, group.text)),
    h(
      "div",
      { class: "pictures" },
      group.planes.map((plane, index) => {
        const name = planeTitle(group, index);
        const on = plane.index === app.state.plane;
        return h(
          "button",
          {
            key: plane.index,
            type: "button",
            class: "picture",
            title: name,
            "aria-label": `${plane.index + 1}: ${name}`,
            "aria-pressed": on ? "true" : "false",
            onClick: () => app.update({ plane: on ? null : plane.index }),
          },
          h(PlanePicture, { bits: plane.bits, size }),
          h("span", null, name),
        );
      }),
    ),
    shown && h("p", { class: "explained", role: "status" }, t("inside.on_board", {
      group: title,
      name: planeTitle(group, shown.index - first),
      points: shown.bits.reduce((sum, bit) => sum + bit, 0),
    })),
  );
}
