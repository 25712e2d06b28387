// Where the names of classes stand: beside their images, where few dots are, and never on each
// other. A name that had to move away from its class's middle is tied to it by a line, which is
// short for the room and crosses neither a name nor another line: else it is read at other images.

import { shortName } from "../desk/words.js";
import { HIDDEN, SPAN } from "./points.js";
import { toRoom } from "./view.js";

/**
 * @import { Cloud } from "./points.js"
 * @import { Room, Spot, View } from "./view.js"
 *
 * @typedef {{ columns: number, rows: number, sums: Uint32Array }} Crowd
 *   sums: dots above and left of each corner of the cells
 * @typedef {{ left: number, top: number, right: number, bottom: number }} Box px
 * @typedef {{ text: string, x: number, y: number, middle: Spot }} Placed px
 * @typedef {{ text: string, middle: Spot, spot: Spot }} Seen middle: on the map; spot: px
 */

const CELL = 6; // px
const LETTER = 8; // px of a letter, about
const HIGH = 20; // px of a name
const TOOLS = { wide: 262, high: 40 }; // px of the corner that the tools lie in
const STEP = 14; // px between two distances that are tried
const FARTHEST = 168; // px
const REACH = 0.2; // of the room's width, where that is less: a telephone's
const FARTHER = 1.6; // times as far, for names that find no place nearby
const SHORT = 9; // letters of a name that finds none there either
const TURNS = 8; // orders of the names that are tried
const DIRECTIONS = 16;

/**
 * How many dots lie where.
 *
 * @param {Cloud} cloud
 * @param {View} view
 * @param {Room} room
 * @returns {Crowd}
 */
export function crowdOf({ points, codes }, view, { width, height }) {
  const columns = Math.ceil(width / CELL) + 1;
  const rows = Math.ceil(height / CELL) + 1;
  const sums = new Uint32Array(columns * rows);
  const [kx, ky] = [width / (SPAN * view.size * CELL), height / (SPAN * view.size * CELL)];
  const [left, top] = [SPAN * view.x, SPAN * view.y];
  for (let i = 0; i < codes.length; i++) {
    const x = Math.floor((points[2 * i] - left) * kx) + 1;
    const y = Math.floor((points[2 * i + 1] - top) * ky) + 1;
    if (codes[i] < HIDDEN && x > 0 && y > 0 && x < columns && y < rows) sums[y * columns + x]++;
  }
  for (let y = 1; y < rows; y++) {
    for (let x = 1, line = 0; x < columns; x++) {
      line += sums[y * columns + x];
      sums[y * columns + x] = line + sums[(y - 1) * columns + x];
    }
  }
  return { columns, rows, sums };
}

/**
 * @param {Crowd} crowd
 * @param {Box} box
 * @returns {number} dots in it, those of cells that it touches
 */
export function dotsIn({ columns, rows, sums }, { left, top, right, bottom }) {
  const [x0, x1] = [left, right].map((x) => Math.min(columns - 1, Math.max(0, x / CELL)));
  const [y0, y1] = [top, bottom].map((y) => Math.min(rows - 1, Math.max(0, y / CELL)));
  const [a, b, c, d] = [Math.floor(x0), Math.ceil(x1), Math.floor(y0), Math.ceil(y1)];
  const at = (/** @type {number} */ x, /** @type {number} */ y) => sums[y * columns + x];
  return at(b, d) - at(a, d) - at(b, c) + at(a, c);
}

/**
 * @param {string} text
 * @param {Spot} at
 * @returns {Box}
 */
function boxOf(text, [x, y]) {
  const half = (LETTER * text.length) / 2 + 4;
  return { left: x - half, right: x + half, top: y - HIGH / 2, bottom: y + HIGH / 2 };
}

/**
 * @param {Box} a
 * @param {Box} b
 */
const meets = (a, b) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/**
 * @param {[Spot, Spot]} one
 * @param {[Spot, Spot]} other
 * @returns {boolean} whether two lines cross
 */
function cross([a, b], [c, d]) {
  const side = (/** @type {Spot} */ p, /** @type {Spot} */ q, /** @type {Spot} */ r) =>
    Math.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]));
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

/**
 * @param {[Spot, Spot]} line
 * @param {Box} box
 * @returns {boolean} whether the line runs through the box
 */
const runsThrough = (line, { left, top, right, bottom }) =>
  cross(line, [
    [left, top],
    [right, bottom],
  ]) ||
  cross(line, [
    [left, bottom],
    [right, top],
  ]);

/**
 * The places that are tried: the middle, then rings around it.
 *
 * @param {Spot} middle
 * @param {number} farthest px
 * @returns {{ at: Spot, away: number }[]} nearest first
 */
function around([x, y], farthest) {
  const tried = [{ at: /** @type {Spot} */ ([x, y]), away: 0 }];
  for (let away = 2 * STEP; away <= farthest; away += STEP) {
    for (let i = 0; i < DIRECTIONS; i++) {
      const turn = (2 * Math.PI * i) / DIRECTIONS;
      tried.push({ at: [x + 1.35 * away * Math.cos(turn), y + away * Math.sin(turn)], away });
    }
  }
  return tried;
}

/**
 * Place the names whose middle is in view, the first first. Those that find no free place nearby
 * begin the next time; the best of a few times counts.
 *
 * @param {{ text: string, middle: Spot }[]} names middle: on the map
 * @param {Crowd} crowd
 * @param {View} view
 * @param {Room} room
 * @returns {Placed[]}
 */
export function placeNames(names, crowd, view, room) {
  let order = names
    .map(({ text, middle }) => ({ text, middle, spot: toRoom(view, room, middle) }))
    .filter(({ spot: [x, y] }) => x > 0 && y > 0 && x < room.width && y < room.height);
  let best = placeAll(order, crowd, room);
  for (let turn = 1, last = best; turn < TURNS && last.late.length; turn++) {
    const { late } = last;
    order = [...late, ...order.filter((name) => !late.includes(name))];
    last = placeAll(order, crowd, room);
    const more = last.placed.length - best.placed.length;
    if (more > 0 || (more === 0 && last.late.length < best.late.length)) best = last;
  }
  return best.placed;
}

/**
 * Place names in their order: nearby; those without a free place there farther away; then cut short.
 *
 * @param {Seen[]} names
 * @param {Crowd} crowd
 * @param {Room} room
 * @returns {{ placed: Placed[], late: Seen[] }} late: those that found none nearby
 */
function placeAll(names, crowd, room) {
  const near = Math.min(FARTHEST, Math.max(2 * STEP, REACH * room.width));
  const tools = { left: room.width - TOOLS.wide, right: room.width, top: 0, bottom: TOOLS.high };
  const there = { crowd, room, tools, taken: [tools], ties: /** @type {[Spot, Spot][]} */ ([]) };
  const placed = /** @type {Placed[]} */ ([]);
  const place = (/** @type {number} */ most, /** @type {number} */ farthest) => {
    return (/** @type {Seen} */ name) => {
      const text = shortName(name.text, most);
      const at = placeOne(there, text, name.spot, farthest);
      if (at) placed.push({ text, x: at[0], y: at[1], middle: name.middle });
      return !at;
    };
  };
  const late = names.filter(place(Infinity, near));
  late.filter(place(Infinity, FARTHER * near)).forEach(place(SHORT, FARTHER * near));
  return { placed, late };
}

/**
 * Find the best free place of one name, and take it.
 *
 * @param {{ crowd: Crowd, room: Room, tools: Box, taken: Box[], ties: [Spot, Spot][] }} there
 * @param {string} text
 * @param {Spot} spot the middle of its class, px
 * @param {number} farthest px
 * @returns {Spot | null}
 */
function placeOne({ crowd, room, tools, taken, ties }, text, spot, farthest) {
  let best = null;
  for (const { at, away } of around(spot, farthest)) {
    const box = boxOf(text, at);
    const fits =
      box.left >= 0 && box.top >= 0 && box.right <= room.width && box.bottom <= room.height;
    if (!fits || taken.some((other) => meets(box, other))) continue;
    const tie = tieOf({ text, x: at[0], y: at[1] }, spot);
    if (tie && ties.some((other) => cross(tie, other))) continue;
    if (tie && taken.some((other) => other !== tools && runsThrough(tie, other))) continue;
    if (ties.some((other) => runsThrough(other, box))) continue;
    const dots = dotsIn(crowd, box);
    const cost = dots + away / farthest;
    if (!best || cost < best.cost) best = { at, box, tie, cost };
    if (dots === 0) break; // nearest first: none is better
  }
  if (!best) return null;
  taken.push(best.box);
  if (best.tie) ties.push(best.tie);
  return best.at;
}

/**
 * The line from a name to the middle of its class; null where it stands there.
 *
 * @param {Pick<Placed, "text" | "x" | "y">} placed
 * @param {Spot} middle px
 * @returns {[Spot, Spot] | null}
 */
export function tieOf({ text, x, y }, [mx, my]) {
  const { left, right, top, bottom } = boxOf(text, [x, y]);
  const near = /** @type {Spot} */ ([
    Math.min(right - 6, Math.max(left + 6, mx)),
    Math.min(bottom - 3, Math.max(top + 3, my)),
  ]);
  return Math.hypot(near[0] - mx, near[1] - my) < 12 ? null : [near, [mx, my]];
}
