/** The time that a player has left, counted down between the server's messages. */

import { h, useEffect, useRef, useState } from "../../vendor/goban.js";
import { t } from "../strings/index.js";

/** @typedef {import("../link/messages.js").Clock} Clock */
/** @typedef {import("../link/messages.js").Colour} Colour */

/**
 * @param {Clock} clock
 * @param {Colour} colour
 * @param {number} gone seconds of the running turn
 * @returns {{seconds: number, periods: number | undefined, late: boolean}}
 */
export function timeLeft(clock, colour, gone) {
  const { main, period, periods } = clock[colour];
  const { kind, period: length } = clock.settings;
  if (main > 0 && main - gone > 0) return { seconds: main - gone, periods, late: false };
  const overtime = kind === "byoyomi" || kind === "canadian";
  // Overtime begins with a whole period where the main time ends, else with what is left of one.
  let left = main > 0 ? main + (overtime ? length : 0) - gone : period - gone;
  let still = periods;
  while (kind === "byoyomi" && left <= 0 && still !== undefined && still > 1 && length > 0) {
    still -= 1;
    left += length;
  }
  return { seconds: Math.max(0, left), periods: still, late: left <= 0 };
}

/**
 * @param {number} seconds
 * @returns {string} such as "9:58"; tenths in the last ten seconds
 */
export function clockText(seconds) {
  if (seconds < 10) return (Math.floor(seconds * 10) / 10).toFixed(1);
  const whole = Math.ceil(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/**
 * @param {object} props
 * @param {Clock} props.clock
 * @param {Colour} props.colour
 * @param {boolean} props.out whether the game was lost by this clock
 * @param {() => void} props.onLate
 */
export function ClockFace({ clock, colour, out, onLate }) {
  const [now, setNow] = useState(performance.now());
  const since = useRef({ clock, at: performance.now(), told: false });
  if (since.current.clock !== clock) since.current = { clock, at: performance.now(), told: false };
  const running = clock.running === colour;
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => setNow(performance.now()), 100);
    return () => clearInterval(timer);
  }, [running]);
  const gone = running ? clock.now - clock.at + Math.max(0, (now - since.current.at) / 1000) : 0;
  const { seconds, periods, late } = timeLeft(clock, colour, gone);
  useEffect(() => {
    if (late && running && !since.current.told) {
      since.current.told = true;
      onLate();
    }
  }, [late, running]);
  const { stones } = clock[colour];
  return h(
    "div",
    { class: `clock ${running ? "running" : ""} ${running && seconds < 10 ? "short" : ""}`, role: "timer" },
    h("span", null, out ? "0:00" : clockText(seconds)),
    !out && periods !== undefined && h("small", null, t("clock.left.periods", { periods })),
    !out && stones !== undefined && stones > 0 && h("small", null, t("clock.left.stones", { stones })),
  );
}
