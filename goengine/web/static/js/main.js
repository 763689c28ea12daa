/** The start of the page. */

import { h, render } from "../vendor/goban.js";
import { listenForSpeech } from "./shell/announcer.js";
import { App } from "./shell/app.js";
import { listenForKeys } from "./shell/keyboard.js";
import { Page } from "./shell/page.js";
import { listenForSounds } from "./shell/sounds.js";
import { loadLanguage, preferred } from "./strings/index.js";
import { download, listenForFiles } from "./study/files.js";

const address = new URL("ws", document.baseURI);
address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
address.search = "";
const app = new App(address.href);
const root = /** @type {HTMLElement} */ (document.getElementById("page"));

let language = "";
let theme = "";

/** Draw the page, in the language and the colours that are chosen. */
async function draw() {
  const wanted = preferred(app.state.options.language, navigator.languages);
  if (wanted !== language) {
    language = wanted;
    await loadLanguage(wanted);
    document.documentElement.lang = wanted;
  }
  if (app.state.options.theme !== theme) {
    theme = app.state.options.theme;
    document.documentElement.dataset.theme = theme;
  }
  render(h(Page, { app }), root);
}

/** Draw once for all changes of the same moment, before the next picture. */
let due = false;
app.listeners.add(() => {
  if (due) return;
  due = true;
  queueMicrotask(() => {
    due = false;
    void draw();
  });
});
app.hearers.add((message) => {
  if (message.event === "sgf") download(message.name, message.text);
});

listenForKeys(app, document);
listenForFiles(app, document);
listenForSounds(app);
listenForSpeech(app, /** @type {HTMLElement} */ (document.getElementById("speech")));
window.addEventListener("online", () => app.connection.connect());
app.connection.connect();
void draw();
