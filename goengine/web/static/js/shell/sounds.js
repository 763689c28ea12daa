/** Sounds made on the spot, without files: a stone on wood, captures, a pass, the end of a game. */

import { moveNumber } from "../state/tree.js";

/** @typedef {import("./app.js").App} App */

export class Sounds {
  constructor() {
    /** @type {AudioContext | null} */
    this.context = null;
  }

  /** @returns {AudioContext | null} null before the first touch of the page and without WebAudio */
  wake() {
    if (!("AudioContext" in window)) return null;
    this.context ??= new AudioContext();
    if (this.context.state === "suspended") void this.context.resume();
    return this.context;
  }

  /**
   * A short burst of noise that a filter colours, and the dull tone of the board below it.
   *
   * @param {number} delay seconds
   * @param {number} loudness 0 to 1
   */
  stone(delay = 0, loudness = 0.5) {
    const context = this.wake();
    if (!context) return;
    const at = context.currentTime + delay;
    const length = Math.floor(context.sampleRate * 0.05);
    const buffer = context.createBuffer(1, length, context.sampleRate);
    const samples = buffer.getChannelData(0);
    for (let i = 0; i < length; i++) samples[i] = (Math.random() * 2 - 1) * Math.exp((-9 * i) / length);
    const click = context.createBufferSource();
    click.buffer = buffer;
    const filter = context.createBiquadFilter();
    filter.type = "bandpass";
    filter.frequency.value = 2100 + Math.random() * 500;
    filter.Q.value = 1.4;
    click.connect(filter).connect(this.volume(context, at, loudness, 0.06));
    click.start(at);
    this.tone(190 + Math.random() * 20, at, loudness * 0.6, 0.09);
  }

  /** @param {number} stones */
  captures(stones) {
    for (let i = 0; i < Math.min(stones, 5); i++) this.stone(0.12 + i * 0.06, 0.25);
  }

  pass() {
    const context = this.wake();
    if (context) this.tone(330, context.currentTime, 0.12, 0.25);
  }

  end() {
    const context = this.wake();
    if (!context) return;
    this.tone(392, context.currentTime, 0.15, 0.5);
    this.tone(523, context.currentTime + 0.18, 0.15, 0.7);
  }

  /**
   * @param {number} frequency
   * @param {number} at
   * @param {number} loudness
   * @param {number} seconds
   */
  tone(frequency, at, loudness, seconds) {
    const context = this.context;
    if (!context) return;
    const tone = context.createOscillator();
    tone.frequency.setValueAtTime(frequency, at);
    tone.frequency.exponentialRampToValueAtTime(frequency * 0.85, at + seconds);
    tone.connect(this.volume(context, at, loudness, seconds));
    tone.start(at);
    tone.stop(at + seconds);
  }

  /**
   * @param {AudioContext} context
   * @param {number} at
   * @param {number} loudness
   * @param {number} seconds until it has died away
   * @returns {GainNode} connected to the loudspeaker
   */
  volume(context, at, loudness, seconds) {
    const gain = context.createGain();
    gain.gain.setValueAtTime(loudness, at);
    gain.gain.exponentialRampToValueAtTime(0.001, at + seconds);
    gain.connect(context.destination);
    return gain;
  }
}

/**
 * Make a sound for every move that is new in the tree, whoever played it.
 *
 * @param {App} app
 * @param {Sounds} [sounds]
 */
export function listenForSounds(app, sounds = new Sounds()) {
  let cursor = "";
  let moves = 0;
  let nodes = 0;
  let result = /** @type {string | null} */ (null);
  app.listeners.add(() => {
    const table = app.table.shown();
    if (!table) return;
    const count = Object.keys(table.tree.nodes).length;
    if (table.cursor !== cursor || table.result !== result) {
      const number = moveNumber(table.tree, table.cursor);
      const move = table.tree.nodes[table.cursor]?.move;
      const fresh = cursor && number === moves + 1 && count === nodes + 1 && move;
      if (fresh && app.state.options.sound) {
        if (move[1] === "pass") sounds.pass();
        else {
          sounds.stone();
          sounds.captures(newCaptures(app));
        }
      }
      if (table.result && !result && cursor && app.state.options.sound) sounds.end();
      cursor = table.cursor;
      moves = number;
      result = table.result;
    }
    nodes = count;
  });
}

/**
 * @param {App} app
 * @returns {number} stones that the move at the cursor took
 */
export function newCaptures(app) {
  const table = app.table.shown();
  const parent = table?.tree.nodes[table.cursor]?.parent;
  const now = app.position()?.captures;
  if (!table || !parent || !now) return 0;
  const before = app.positions.at(table.tree, parent, table.size).captures;
  return now.B + now.W - before.B - before.W;
}
