// What the hand draws: a loop or a box, and how much of it is sent.

/**
 * @import { Spot, View } from "./view.js"
 * @typedef {"lasso" | "box" | "move"} Tool
 *
 * @typedef {Object} Drag
 * @property {Tool} tool
 * @property {Spot} start px
 * @property {Spot} last px
 * @property {boolean} moved
 * @property {View} view at its start
 * @property {Spot[]} points on the map
 */

const MOST = 160; // corners that are sent
const STILL = 4; // px that a hand moves in a click
const STEP = 3; // px between two corners

/**
 * @param {Spot} a
 * @param {Spot} b
 */
const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/**
 * Whether the hand has moved, and not just clicked.
 *
 * @param {Drag} drag
 * @param {Spot} at px
 */
export const hasMoved = (drag, at) => drag.moved || apart(at, drag.start) >= STILL;

/**
 * Add where the hand is.
 *
 * @param {Drag} drag
 * @param {Spot} at px
 * @param {Spot} point the same on the map
 */
export function draw(drag, at, point) {
  if (drag.tool === "box") drag.points[1] = point;
  else if (apart(at, drag.last) >= STEP) {
    drag.points.push(point);
    drag.last = at;
  }
}

/**
 * @param {Pick<Drag, "tool" | "points">} drag
 * @returns {Spot[]} corners on the map
 */
export function corners({ tool, points }) {
  if (tool !== "box") return points;
  const [[x0, y0], [x1, y1]] = [points[0], points[1] || points[0]];
  return [
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1],
  ];
}

/**
 * The corners as they are sent: at most 160, to a millionth of the map.
 *
 * @param {Spot[]} points
 * @returns {Spot[]}
 */
export function thinned(points) {
  const step = Math.ceil(points.length / MOST);
  /** @param {number} value */
  const rounded = (value) => Math.round(value * 1e6) / 1e6;
  return points.filter((_, i) => i % step === 0).map(([x, y]) => [rounded(x), rounded(y)]);
}
