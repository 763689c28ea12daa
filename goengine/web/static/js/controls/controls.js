/** Buttons, switches, fields and dialogs that every panel uses. */

import { h, useEffect, useRef } from "../../vendor/goban.js";
import { t } from "../strings/index.js";
import { Icon } from "./icons.js";

/** @typedef {import("../../vendor/goban.js").ComponentChildren} Children */

/**
 * @param {object} props
 * @param {string} [props.icon]
 * @param {string} props.label
 * @param {() => void} props.onClick
 * @param {boolean} [props.disabled]
 * @param {boolean} [props.bare] the icon alone is seen
 * @param {string} [props.word] below a bare icon
 * @param {string} [props.keys] the key that does the same
 * @param {boolean} [props.pressed]
 * @param {string} [props.kind] "main" or "quiet"
 */
export function Button({ icon, label, onClick, disabled, bare, word, keys, pressed, kind = "" }) {
  return h(
    "button",
    {
      type: "button",
      class: `button ${kind} ${bare ? "bare" : ""} ${word ? "worded" : ""}`,
      onClick,
      disabled,
      title: keys ? `${label} (${keys})` : label,
      "aria-label": bare ? label : undefined,
      "aria-pressed": pressed === undefined ? undefined : pressed ? "true" : "false",
    },
    icon && h(Icon, { name: icon }),
    !bare && h("span", null, label),
    word && h("small", null, word),
  );
}

/**
 * @param {object} props
 * @param {string} props.label
 * @param {boolean} props.on
 * @param {(on: boolean) => void} props.onChange
 */
export function Switch({ label, on, onChange }) {
  return h(
    "label",
    { class: "switch" },
    h("input", {
      type: "checkbox",
      role: "switch",
      checked: on,
      onChange: (/** @type {Event} */ event) => onChange(target(event).checked),
    }),
    h("span", null, label),
  );
}

/**
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.value
 * @param {readonly (readonly string[])[]} props.choices value and text
 * @param {(value: never) => void} props.onChange takes one of the values
 * @param {string} [props.name]
 */
export function Choice({ label, value, choices, onChange, name }) {
  return h(
    "label",
    { class: "field" },
    h("span", null, label),
    h(
      "select",
      {
        value,
        name,
        onChange: (/** @type {Event} */ event) => onChange(/** @type {never} */ (target(event).value)),
      },
      choices.map(([its = "", text]) => h("option", { key: its, value: its, selected: its === value }, text)),
    ),
  );
}

/**
 * @param {object} props
 * @param {string} props.label
 * @param {number} props.value
 * @param {number} props.min
 * @param {number} props.max
 * @param {number} [props.step]
 * @param {string} [props.unit]
 * @param {string} [props.name]
 * @param {(value: number) => void} props.onChange
 */
export function NumberField({ label, value, min, max, step = 1, unit, name, onChange }) {
  return h(
    "label",
    { class: "field" },
    h("span", null, unit ? `${label} (${unit})` : label),
    h("input", {
      type: "number",
      inputMode: "decimal",
      required: true,
      name,
      value,
      min,
      max,
      step,
      onInput: (/** @type {Event} */ event) => {
        const number = target(event).valueAsNumber;
        if (Number.isFinite(number)) onChange(number);
      },
    }),
  );
}

/**
 * A window over the page; Escape and the cross close it.
 *
 * @param {object} props
 * @param {string} props.title
 * @param {() => void} props.onClose
 * @param {string} [props.kind]
 * @param {Children} props.children
 */
export function Dialog({ title, onClose, kind = "", children }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    dialog?.showModal();
    if (dialog) dialog.scrollTop = 0;
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return h(
    "dialog",
    {
      ref: element,
      class: `dialog ${kind}`,
      "aria-label": title,
      onCancel: (/** @type {Event} */ event) => {
        event.preventDefault();
        onClose();
      },
      onClick: (/** @type {MouseEvent} */ event) => {
        if (event.target === element.current) onClose();
      },
    },
    h(
      "div",
      { class: "dialog-inner" },
      h(
        "header",
        null,
        h("h2", null, title),
        h(Button, { icon: "close", bare: true, label: t("close"), kind: "quiet", onClick: onClose }),
      ),
      children,
    ),
  );
}

/**
 * @param {Event} event
 * @returns {HTMLInputElement}
 */
function target(event) {
  return /** @type {HTMLInputElement} */ (event.currentTarget);
}
