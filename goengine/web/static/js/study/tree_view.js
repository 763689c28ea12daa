/** The tree of variations, drawn; only what can be seen of it is in the page. */

import { h, useLayoutEffect, useMemo, useRef, useState } from "../../vendor/goban.js";
import { Button } from "../controls/controls.js";
import { deleteFromHere, goTo } from "../shell/actions.js";
import { onMainLine } from "../state/tree.js";
import { t } from "../strings/index.js";
import { layOut } from "./tree_layout.js";

/** @typedef {import("../shell/app.js").App} App */
/** @typedef {import("../link/messages.js").Table} Table */
/** @typedef {import("./tree_layout.js").Place} Place */

const STEP = 26;
const SPARE = 12;

/** @param {{app: App}} props */
export function TreeView({ app }) {
  const table = /** @type {Table} */ (app.table.shown());
  const { tree, cursor } = table;
  const layout = useMemo(() => layOut(tree), [tree]);
  const scroller = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [seen, setSeen] = useState({ left: 0, top: 0, width: 400, height: 170 });
  const look = () => {
    const box = scroller.current;
    if (box) setSeen({ left: box.scrollLeft, top: box.scrollTop, width: box.clientWidth, height: box.clientHeight });
  };
  const here = layout.places.get(cursor);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box || !here) return;
    box.scrollLeft = keep(here.column * STEP, box.scrollLeft, box.clientWidth);
    box.scrollTop = keep(here.row * STEP, box.scrollTop, box.clientHeight);
    look();
  }, [cursor, layout]);

  const visible = [...layout.places.values()].filter(
    ({ column, row, parent }) =>
      column * STEP > seen.left - SPARE * STEP &&
      column * STEP < seen.left + seen.width + SPARE * STEP &&
      row * STEP > seen.top - SPARE * STEP &&
      (parent?.row ?? row) * STEP < seen.top + seen.height + SPARE * STEP,
  );
  const main = onMainLine(tree, cursor);
  return h(
    "div",
    { class: "tree" },
    h(
      "div",
      { class: "tree-scroll", ref: scroller, onScroll: look, tabIndex: 0, role: "group", "aria-label": t("tree.title") },
      h(
        "svg",
        {
          width: layout.columns * STEP + 8,
          height: layout.rows * STEP + 4,
          "aria-hidden": "true",
          onClick: (/** @type {MouseEvent} */ event) => {
            const node = /** @type {Element} */ (event.target).closest("[data-node]");
            if (node) goTo(app, node.getAttribute("data-node"));
          },
        },
        visible.map((place) => h(Link, { key: `l${place.id}`, place })),
        visible.map((place) => h(TreeNode, { key: place.id, place, table, current: place.id === cursor })),
      ),
    ),
    h(
      "div",
      { class: "row" },
      h(Button, {
        icon: "up",
        label: t("tree.promote"),
        disabled: main,
        onClick: () => app.send({ do: "promote", node: cursor }),
      }),
      h(Button, {
        icon: "trash",
        label: t("tree.delete"),
        disabled: cursor === tree.root,
        onClick: () => deleteFromHere(app),
      }),
    ),
  );
}

/**
 * @param {number} at
 * @param {number} from
 * @param {number} room
 * @returns {number} where to scroll so that a place is seen with some room around it
 */
function keep(at, from, room) {
  const margin = Math.min(3 * STEP, room / 3);
  if (at - margin < from) return Math.max(0, at - margin);
  if (at + STEP + margin > from + room) return at + STEP + margin - room;
  return from;
}

/** @param {Place} place */
const middle = ({ column, row }) => ({ x: column * STEP + STEP / 2 + 2, y: row * STEP + STEP / 2 + 2 });

/** @param {{place: Place}} props */
function Link({ place }) {
  if (!place.parent) return null;
  const from = middle(place.parent);
  const to = middle(place);
  const turn = to.y - STEP / 2;
  const d = from.y === to.y ? `M${from.x} ${from.y}H${to.x}` : `M${from.x} ${from.y}V${turn}L${to.x} ${to.y}`;
  return h("path", { class: "link", d });
}

/** @param {{place: Place, table: Table, current: boolean}} props */
function TreeNode({ place, table, current }) {
  const node = table.tree.nodes[place.id];
  const { x, y } = middle(place);
  const colour = node?.move ? (node.move[0] === "B" ? "black" : "white") : "empty";
  const lost = node?.values?.lost ?? 0;
  return h(
    "g",
    { class: `node ${colour} ${current ? "current" : ""}`, "data-node": place.id },
    h("rect", { class: "target", x: x - STEP / 2, y: y - STEP / 2, width: STEP, height: STEP }),
    current && h("circle", { class: "halo", cx: x, cy: y, r: 12 }),
    node?.move
      ? h("circle", { cx: x, cy: y, r: 8.5 })
      : h("rect", { x: x - 6, y: y - 6, width: 12, height: 12, rx: 2 }),
    node?.comment && h("circle", { class: "comment", cx: x, cy: y, r: 3 }),
    lost >= 3 && h("path", { class: lost >= 6 ? "bad" : "poor", d: `M${x + 3} ${y - 10}h8l-4 7z` }),
  );
}
