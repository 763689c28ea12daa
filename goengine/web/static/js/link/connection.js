/**
 * The WebSocket to the server: numbered requests, retries with growing pauses, and no loss: what is
 * asked for without a connection waits, and what may have been lost with one is sent again if doing
 * it twice does no harm.
 */

/** @typedef {import("./messages.js").Message} Message */
/** @typedef {import("./messages.js").Request} Request */
/**
 * @typedef {object} LinkState
 * @property {"connecting" | "open" | "lost"} status
 * @property {number} attempt failed tries since the last open connection
 * @property {number} retryAt milliseconds since 1970 of the next try; 0 if none is due
 */
/**
 * @typedef {object} Listeners
 * @property {(message: Message) => void} message
 * @property {(state: LinkState) => void} state
 */

/** Requests that change nothing when they are repeated. */
const REPEATABLE = new Set(["play", "goto", "annotate", "analyse"]);
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/**
 * @param {number} attempt failed tries so far, from 1
 * @returns {number} milliseconds until the next try
 */
export function pause(attempt) {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1));
}

export class Connection {
  /**
   * @param {string} url
   * @param {Listeners} listeners
   * @param {(url: string) => WebSocket} [open]
   */
  constructor(url, listeners, open = (address) => new WebSocket(address)) {
    this.url = url;
    this.listeners = listeners;
    this.open = open;
    this.seq = 0;
    /** @type {Request[]} */
    this.waiting = [];
    /** @type {Request[]} */
    this.unanswered = [];
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {LinkState} */
    this.state = { status: "connecting", attempt: 0, retryAt: 0 };
    this.greeted = false;
  }

  connect() {
    clearTimeout(this.timer);
    if (this.socket && this.socket.readyState <= 1) return;
    const socket = this.open(this.url);
    this.socket = socket;
    socket.onopen = () => {
      this.change({ status: "open", attempt: 0, retryAt: 0 });
      this.greeted = false;
      this.write({ do: "hello" });
    };
    socket.onmessage = ({ data }) => {
      const message = read(data);
      if (!message) return;
      this.answered(message);
      this.listeners.message(message);
      if (message.event === "table" && !this.greeted) this.greet();
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lost();
    };
  }

  /** The first table of a connection is here: send what was asked for in the meantime. */
  greet() {
    this.greeted = true;
    const again = this.unanswered.filter((request) => REPEATABLE.has(request.do));
    this.unanswered = [];
    for (const request of [...again, ...this.waiting.splice(0)]) this.transmit(request);
  }

  /** @param {Message} message an event, which may say up to where requests are worked off */
  answered(message) {
    const seen = "seen" in message ? message.seen : undefined;
    const refused = message.event === "error" ? message.seq : undefined;
    this.unanswered = this.unanswered.filter(
      ({ seq = 0 }) => seq > (seen ?? -1) && seq !== refused,
    );
  }

  lost() {
    this.socket = null;
    const attempt = this.state.attempt + 1;
    const wait = pause(attempt);
    this.change({ status: "lost", attempt, retryAt: Date.now() + wait });
    this.timer = setTimeout(() => this.connect(), wait);
  }

  /**
   * Send a request, or keep it until the connection is there again.
   *
   * @param {Request} request
   * @returns {number} its number
   */
  send(request) {
    this.seq += 1;
    const numbered = { ...request, seq: this.seq };
    if (this.greeted && this.state.status === "open") this.transmit(numbered);
    else this.waiting.push(numbered);
    return this.seq;
  }

  /** @param {Request} request */
  transmit(request) {
    this.unanswered.push(request);
    this.write(request);
  }

  /** @param {Request} request */
  write(request) {
    this.socket?.send(JSON.stringify(request));
  }

  /** @param {LinkState} state */
  change(state) {
    this.state = state;
    this.listeners.state(state);
  }
}

/**
 * @param {unknown} data
 * @returns {Message | null} null for what is not an event, such as an answer of the analysis protocol
 */
function read(data) {
  if (typeof data !== "string") return null;
  try {
    const message = JSON.parse(data);
    return typeof message?.event === "string" ? message : null;
  } catch {
    return null;
  }
}
