/** What the page says about itself: the engine's start, the connection, errors and notices. */

import { h, useEffect, useState } from "../../vendor/goban.js";
import { Button } from "../controls/controls.js";
import { t, translated } from "../strings/index.js";

/** @typedef {import("./app.js").App} App */

const STAY = 9000;

/** @param {{app: App}} props */
export function LinkNote({ app }) {
  const { link } = app.state;
  const [now, setNow] = useState(Date.now());
  const lost = link.status === "lost";
  useEffect(() => {
    if (!lost) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [lost]);
  if (link.attempt === 0) return null;
  const seconds = Math.max(0, Math.ceil((link.retryAt - now) / 1000));
  return h(
    "div",
    { class: "note lost", role: "alert" },
    h("span", null, t("link.lost"), " "),
    h("small", { "aria-live": "off" }, seconds ? t("link.retry", { seconds }) : t("link.now")),
    h(Button, { label: t("link.try"), onClick: () => app.connection.connect() }),
  );
}

/** @param {{app: App}} props */
export function StartNote({ app }) {
  const { starting } = app.state;
  if (!starting) return null;
  const left = starting.seconds_left;
  return h(
    "div",
    { class: "note starting", role: "status" },
    h("span", null, translated(`starting.${starting.stage}`, starting.text)),
    starting.stage === "failed" && h("code", null, starting.text),
    h("progress", {
      max: 1,
      value: starting.done && starting.done > 0 ? starting.done : undefined,
      "aria-label": t("starting.title"),
    }),
    h(
      "small",
      { "aria-live": "off" },
      left ? t("starting.left", { seconds: Math.ceil(left) }) : t("starting.once"),
    ),
  );
}

/** @param {{app: App}} props */
export function Toasts({ app }) {
  return h(
    "div",
    { class: "toasts" },
    app.state.toasts.map((toast) => h(Toast, { key: toast.id, app, toast })),
  );
}

/** @param {{app: App, toast: import("./app.js").State["toasts"][number]}} props */
function Toast({ app, toast }) {
  useEffect(() => {
    const timer = setTimeout(() => app.closeToast(toast.id), STAY);
    return () => clearTimeout(timer);
  }, []);
  const { key, text, args } = toast.text;
  return h(
    "div",
    { class: `toast ${toast.bad ? "bad" : ""}`, role: toast.bad ? "alert" : "status" },
    h("span", null, translated(`${toast.bad ? "error" : "notice"}.${key}`, text, args)),
    h(Button, { icon: "close", bare: true, kind: "quiet", label: t("close"), onClick: () => app.closeToast(toast.id) }),
  );
}
