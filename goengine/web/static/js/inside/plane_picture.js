/** One plane as a small picture: a square for every 1. */

import { h, useEffect, useRef } from "../../vendor/goban.js";

const CELL = 4;

/** @param {{bits: number[], size: number}} props */
export function PlanePicture({ bits, size }) {
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !canvas.current) return;
    context.clearRect(0, 0, size * CELL, size * CELL);
    context.fillStyle = getComputedStyle(canvas.current).color;
    for (const [index, bit] of bits.entries()) {
      const x = (index % size) * CELL;
      const y = Math.floor(index / size) * CELL;
      if (bit) context.fillRect(x, y, CELL, CELL);
      else context.fillRect(x + CELL / 2 - 0.5, y + CELL / 2 - 0.5, 1, 1);
    }
  });
  return h("canvas", { ref: canvas, width: size * CELL, height: size * CELL, "aria-hidden": "true" });
}
