/** The board: Shudan's goban sized to its place, our drawing over it, and what clicks on it mean. */

import {
  Goban,
  h,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "../../vendor/goban.js";
import { mark, mayPlay, playAt, toggleDead } from "../shell/actions.js";
import { grid, isPass, vertexOf, wordOf } from "../state/coords.js";
import { t } from "../strings/index.js";
import { moveNumbers, shownCount } from "./overlay_data.js";
import { Overlay } from "./overlay.js";

/** @typedef {import("../shell/app.js").App} App */
/** @typedef {import("../link/messages.js").Table} Table */
/** @typedef {import("../state/coords.js").Vertex} Vertex */

/** Pixels a point under which a finger is too thick for one touch to play. */
const FINGER = 26;

/**
 * @param {{current: HTMLElement | null}} place
 * @returns {{width: number, height: number}} of the place, kept up to date
 */
function useRoom(place) {
  const [room, setRoom] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const measure = () => {
      const { width, height } = element.getBoundingClientRect();
      setRoom((old) => (old.width === width && old.height === height ? old : { width, height }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return room;
}

/**
 * @param {Table} table
 * @param {import("../state/position.js").Position} position
 * @param {boolean} numbered
 * @returns {(import("@sabaki/shudan").Marker | null)[][]} Shudan's marks
 */
export function markers(table, position, numbered) {
  const { size } = table;
  const numbers = numbered ? moveNumbers(table.tree, table.cursor, size) : new Map();
  const marks = table.tree.nodes[table.cursor]?.marks ?? {};
  const dead = new Set(shownCount(table)?.dead ?? []);
  return grid(size, (x, y) => {
    const word = wordOf([x, y], size);
    const its = marks[word];
    if (dead.has(word)) return { type: "cross" };
    if (its) return shapes.has(its) ? { type: /** @type {"circle"} */ (its) } : { type: "label", label: its };
    if (numbers.has(`${x},${y}`) && position.board.get([x, y])) {
      return { type: "label", label: String(numbers.get(`${x},${y}`)) };
    }
    const last = position.last && position.last[0] === x && position.last[1] === y;
    return last && !numbered ? { type: "circle" } : null;
  });
}

const shapes = new Set(["circle", "square", "triangle", "cross"]);

/**
 * @param {number} room pixels a point that there is room for
 * @returns {number} even where a pixel is large, so that the lines are sharp
 */
function vertexSize(room) {
  const step = window.devicePixelRatio < 2 ? 2 : 1;
  return Math.max(8, Math.floor(room / step) * step);
}

/** @param {{app: App}} props */
export function Board({ app }) {
  const { state } = app;
  const { options } = state;
  const table = /** @type {Table} */ (app.table.shown());
  const position = /** @type {import("../state/position.js").Position} */ (app.position());
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const { width, height } = useRoom(place);
  const [hover, setHover] = useState(/** @type {Vertex | null} */ (null));
  const [tentative, setTentative] = useState(/** @type {Vertex | null} */ (null));
  const margin = options.coordinates ? 0.74 : 0.35;
  const { size } = table;
  const pixels = vertexSize(Math.min(width, height) / (size + 2 * margin));

  useEffect(() => setTentative(null), [table.cursor, size]);

  const vertexAt = useCallback(
    (/** @type {PointerEvent | MouseEvent} */ event) => {
      const content = place.current?.querySelector(".shudan-content");
      if (!content) return null;
      const box = content.getBoundingClientRect();
      const x = Math.floor(((event.clientX - box.left) / box.width) * size);
      const y = Math.floor(((event.clientY - box.top) / box.height) * size);
      return /** @type {Vertex | null} */ (x >= 0 && x < size && y >= 0 && y < size ? [x, y] : null);
    },
    [size],
  );

  const act = (/** @type {Vertex} */ vertex, /** @type {boolean} */ finger) => {
    if (table.counting) return toggleDead(app, vertex);
    if (state.tool && state.view === "study") return mark(app, vertex);
    const twice = options.confirm === "always" || (options.confirm === "auto" && finger && pixels < FINGER);
    const again = tentative && tentative.join() === vertex.join();
    if (twice && !again) {
      point(app, vertex);
      return setTentative(mayPlay(app) && !position.board.get(vertex) ? vertex : null);
    }
    setTentative(null);
    return playAt(app, vertex);
  };

  const onClick = (/** @type {PointerEvent} */ event) => {
    const vertex = vertexAt(event);
    if (state.cross) app.update({ cross: null });
    if (vertex) act(vertex, event.pointerType === "touch");
  };

  const onMove = (/** @type {PointerEvent} */ event) => {
    if (event.pointerType === "touch") return;
    const vertex = vertexAt(event);
    if (vertex?.join() !== hover?.join()) {
      setHover(vertex);
      point(app, vertex);
    }
  };

  const count = shownCount(table);
  const { marks } = table.tree.nodes[table.cursor] ?? {};
  const goban = useMemo(
    () =>
      h(Goban, {
        signMap: position.board.signMap,
        vertexSize: pixels,
        showCoordinates: options.coordinates,
        markerMap: markers(table, position, options.numbers),
        dimmedVertices: (count?.dead ?? []).map((word) => /** @type {Vertex} */ (vertexOf(word, size))),
        innerProps: { "aria-hidden": "true" },
      }),
    [position, pixels, options.coordinates, options.numbers, count, marks],
  );

  const free = hover && !position.board.get(hover) && mayPlay(app) && !state.variation && !state.tool;
  return h(
    "div",
    { class: "board-place", ref: place },
    h(
      "div",
      {
        class: `board ${size < 19 ? "few" : ""} ${state.tool ? "marking" : ""} ${state.cross ? "crossed" : ""}`,
        id: "board",
        role: "application",
        tabIndex: 0,
        "aria-roledescription": t("board.role"),
        "aria-label": t("board.label", { size }),
        "aria-describedby": "board-help",
        onClick,
        onPointerMove: onMove,
        onPointerLeave: () => {
          setHover(null);
          point(app, null);
        },
        onFocus: (/** @type {FocusEvent} */ event) => showCross(app, event),
        onBlur: () => app.state.cross && app.update({ cross: null }),
      },
      goban,
      h(
        "div",
        { class: "overlay-place", style: { inset: `${margin * pixels}px` } },
        h(Overlay, overlayProps(app, pixels, free ? hover : null, tentative)),
      ),
    ),
    h("p", { id: "board-help", class: "unseen" }, t("board.help")),
    tentative && h("p", { class: "again", role: "status" }, t("board.again")),
  );
}

/**
 * @param {App} app
 * @param {number} pixels
 * @param {Vertex | null} hover
 * @param {Vertex | null} tentative
 * @returns {import("./overlay.js").Drawn}
 */
function overlayProps(app, pixels, hover, tentative) {
  const { state } = app;
  const { options } = state;
  const analysis = app.analysis();
  const table = /** @type {Table} */ (app.table.shown());
  const position = /** @type {import("../state/position.js").Position} */ (app.position());
  const studying = state.view === "study" && !table.counting;
  const inside = state.view === "inside" ? state.planes : null;
  const bits = inside?.groups.flatMap(({ planes }) => planes).find(({ index }) => index === state.plane)?.bits;
  const answer = inside && state.plane === -1 ? inside.answer : null;
  const ownership = studying && options.ownership ? analysis?.ownership : answer?.ownership;
  const policy = studying && options.policy ? analysis?.policy : answer?.policy;
  const hint = state.hint && !isPass(state.hint.move) ? vertexOf(state.hint.move, table.size) : null;
  return {
    size: table.size,
    pixels,
    toPlay: position.toPlay,
    stones: position.board.signMap,
    candidates: studying && options.candidates ? (analysis?.candidates ?? []) : [],
    label: options.label,
    ownership: ownership ?? null,
    policy: policy ?? null,
    area: state.view === "inside" ? null : (shownCount(table)?.area ?? null),
    bits: bits ?? null,
    variation: state.variation ?? [],
    hint,
    hover,
    tentative,
    cross: state.cross,
  };
}

/**
 * Show the variation of the candidate under the mouse.
 *
 * @param {App} app
 * @param {Vertex | null} vertex
 */
function point(app, vertex) {
  const { options, view, variation } = app.state;
  const table = app.table.shown();
  const word = vertex && table ? wordOf(vertex, table.size) : null;
  const shown = view === "study" && options.candidates && app.analysis()?.candidates;
  const candidate = shown ? shown.find(({ move }) => move === word) : undefined;
  const pv = candidate?.pv ?? app.state.pinned;
  if (pv !== variation) app.update({ variation: pv });
}

/**
 * Show the keyboard's cursor when the board is reached with the keyboard.
 *
 * @param {App} app
 * @param {FocusEvent} event
 */
function showCross(app, event) {
  const target = /** @type {HTMLElement} */ (event.currentTarget);
  const table = app.table.shown();
  if (!table || !target.matches(":focus-visible")) return;
  const middle = Math.floor(table.size / 2);
  app.update({ cross: app.position()?.last ?? [middle, middle] });
}
