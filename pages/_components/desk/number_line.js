// Where the estimate lies between nothing and its upper end, and where the goal is.

import { svg } from "./nodes.js";
import { count } from "./words.js";

/**
 * @import { ErrorsLeft } from "./progress.js"
 * @typedef {{ x: number, text: string, anchor: "start" | "middle" | "end" }} Mark
 */

const WIDTH = 234; // px
const EDGE = 26; // px from an end within which words lean on the end
const APART = 46; // px that a mark's words need

/**
 * @param {ErrorsLeft} left
 * @returns {(value: number) => number} a number of errors -> px
 */
function scaleOf(left) {
  const end = 1.12 * Math.max(left.high, left.goal, 1);
  return (value) => 4 + (WIDTH - 8) * Math.min(1, value / end);
}

/**
 * The words under the line: the goal always, an end of the interval where it has room.
 *
 * @param {ErrorsLeft} left
 * @returns {Mark[]}
 */
export function marks(left) {
  const x = scaleOf(left);
  /** @type {[number, string][]} */
  const words = [[x(left.goal), `goal ${count(left.goal)}`]];
  for (const value of [left.low, left.high]) {
    const free = words.every(([place]) => Math.abs(place - x(value)) >= APART);
    if (free) words.push([x(value), count(value)]);
  }
  return words.map(([place, text]) => {
    if (place < EDGE) return { x: 0, text, anchor: "start" };
    if (place > WIDTH - EDGE) return { x: WIDTH, text, anchor: "end" };
    return { x: place, text, anchor: "middle" };
  });
}

/** @param {ErrorsLeft & { estimate: number }} left */
export function numberLine(left) {
  const x = scaleOf(left);
  const box = { viewBox: `0 0 ${WIDTH} 40`, width: WIDTH, height: 40, "aria-hidden": "true" };
  return svg(
    "svg",
    { class: "numberline", ...box },
    svg("line", { class: "axis", x1: 0, x2: WIDTH, y1: 15, y2: 15 }),
    svg("line", { class: "range", x1: x(left.low), x2: x(left.high), y1: 15, y2: 15 }),
    svg("line", { class: "goal", x1: x(left.goal), x2: x(left.goal), y1: 7, y2: 23 }),
    svg("circle", { class: "dot", cx: x(left.estimate), cy: 15, r: 5.5 }),
    marks(left).map((mark) =>
      svg("text", { x: mark.x, y: 37, "text-anchor": mark.anchor }, mark.text),
    ),
  );
}
