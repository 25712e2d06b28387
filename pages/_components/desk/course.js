// The guarantee against reviews: as it was, as it is expected to go on, and the goal as a line.

import { svg } from "./nodes.js";
import { count, plural } from "./words.js";

/**
 * @import { Progress } from "./progress.js"
 * @typedef {[number, number]} Point reviews, wrong labels left at most
 * @typedef {{ past: Point[], ahead: Point[], people?: string }} Course
 *   `people`: what the guarantee supposes of people, or says where they err
 * @typedef {{ width: number, height: number, words: boolean }} Size px; whether there is room for words
 */

const ABOVE = 30; // times what is guaranteed now: what lay higher enters at the top
const LINE = 13; // px of a line of words

/**
 * The points to draw: what the server worked out, and the moment now, which it may not have seen.
 *
 * @param {Progress} now
 * @returns {Course | null} null without a guarantee
 */
export function courseNow({ reviewed, errors_left: left, course }) {
  if (left.limit === null || left.estimate === null) return null;
  /** @type {Point} */
  const here = [reviewed, left.limit];
  const past = (course?.past ?? []).filter(([x]) => x < reviewed);
  const ahead = (course?.ahead ?? [])
    .filter(([x]) => x > reviewed)
    .map(([x, most]) => /** @type {Point} */ ([x, Math.min(most, here[1])]));
  return { past: [...past, here], ahead: left.may_stop ? [] : ahead };
}

/**
 * Where the goal is a line: where it is a number of wrong labels left.
 *
 * @param {Progress} now
 */
export const goalLineOf = ({ goal, errors_left: left }) =>
  goal.kind === "left" ? left.goal : null;

/**
 * What a chart says, for those who do not see it.
 *
 * @param {Course} course
 * @param {number | null} goal
 */
export function courseWords({ past, ahead }, goal) {
  const [first, here] = [past[0], past[past.length - 1]];
  const from = past.length > 1 ? `from at most ${count(first[1])} after ${count(first[0])} ` : "";
  const words = `The guarantee against reviews: ${from}to at most ${count(here[1])} wrong labels left after ${plural(here[0], "review")}.`;
  const end = ahead[ahead.length - 1];
  const then = end ? ` Expected: at most ${count(end[1])} after ${count(end[0])}.` : "";
  return `${words}${then}${goal === null ? "" : ` Goal: ${count(goal)}.`}`;
}

/**
 * Where the axes end.
 *
 * @param {Course} course
 * @param {number | null} goal
 */
export function endsOf({ past, ahead }, goal) {
  const here = past[past.length - 1];
  const first = past[0][0];
  const last = ahead.length ? ahead[ahead.length - 1][0] : here[0];
  const highest = Math.max(...past.map(([, most]) => most));
  const top = Math.max(1, 2 * (goal ?? 0), 1.1 * Math.min(highest, ABOVE * Math.max(1, here[1])));
  return { first, last: Math.max(last, first + 1), top };
}

/**
 * Heights grow with the root of the number: a fall from 900 to 80 shows, and so does one to 20.
 *
 * @param {Course} course
 * @param {number | null} goal wrong labels that may be left, where that is the goal
 * @param {Size} size
 */
export function courseChart(course, goal, { width, height, words }) {
  const { first, last, top } = endsOf(course, goal);
  const [left, bottom] = words ? [44, LINE + 8] : [2, 3];
  const right = width - (words ? 8 : 4);
  /** @param {number} reviews */
  const x = (reviews) => left + ((right - left) * (reviews - first)) / (last - first);
  /** @param {number} most */
  const y = (most) => 8 + (height - bottom - 8) * (1 - Math.sqrt(Math.min(1, most / top)));
  /** @param {Point[]} points */
  const path = (points) =>
    points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(" ");
  const here = course.past[course.past.length - 1];
  const box = { viewBox: `0 0 ${width} ${height}`, width, height };
  const said = { role: "img", "aria-label": courseWords(course, goal) };
  return svg(
    "svg",
    { class: "course", ...box, ...said },
    words ? axes(x, y, { first, last, top, here: here[0], width, height, left }) : null,
    svg("line", { class: "axis", x1: left, x2: right, y1: y(0), y2: y(0) }),
    goal === null ? null : goalLine(goal, y(goal), left, right, words),
    svg("polyline", { class: "ahead", points: path([here, ...course.ahead]) }),
    svg("polyline", { class: "past", points: path(course.past) }),
    svg("circle", { class: "dot", cx: x(here[0]), cy: y(here[1]), r: words ? 4.5 : 3.5 }),
    words ? nowWords(x(here[0]), y(here[1]), here[1], width) : null,
  );
}

/**
 * @param {number} goal
 * @param {number} y
 * @param {number} left
 * @param {number} right
 * @param {boolean} words
 */
function goalLine(goal, y, left, right, words) {
  const line = svg("line", { class: "goal", x1: left, x2: right, y1: y, y2: y });
  if (!words) return [line];
  const place = { class: "goalword", x: left + 6, y: y - 4 };
  return [line, svg("text", place, `goal ${count(goal)}`)];
}

/**
 * @param {number} x
 * @param {number} y
 * @param {number} most
 * @param {number} width
 */
function nowWords(x, y, most, width) {
  const anchor = x > width - 110 ? "end" : "start";
  const place = { x: anchor === "end" ? x - 8 : x + 8, y: Math.max(LINE, y - 10) };
  return svg("text", { class: "b", ...place, "text-anchor": anchor }, `at most ${count(most)}`);
}

/**
 * The words at the axes: reviews below, wrong labels at the side.
 *
 * @param {(reviews: number) => number} x
 * @param {(most: number) => number} y
 * @param {{ first: number, last: number, top: number, here: number, width: number, height: number, left: number }} frame
 */
function axes(x, y, { first, last, top, here, width, height, left }) {
  const low = height - 4;
  const far = last > here && x(last) - x(here) > 70;
  const near = x(here) - x(first) > 56;
  /** @type {[number, string, string][]} */
  const below = [
    [left, "start", near ? count(first) : ""],
    [x(here), near && !far ? "end" : "middle", `${count(here)} reviews`],
    [width - 8, "end", far ? count(last) : ""],
  ];
  const side = ticks(top).flatMap((most) => [
    svg("line", { class: "gr", x1: left, x2: width - 8, y1: y(most), y2: y(most) }),
    svg("text", { x: left - 6, y: y(most) + 4, "text-anchor": "end" }, count(most)),
  ]);
  return [
    ...side,
    ...below.map(([place, anchor, text]) =>
      svg("text", { x: Math.max(left, place), y: low, "text-anchor": anchor }, text),
    ),
  ];
}

/**
 * Nothing, and round numbers: one not above `top`, and one at about a third of its height.
 *
 * @param {number} top
 */
export function ticks(top) {
  const high = nice(top);
  const low = nice(top / 8);
  return low < high ? [0, low, high] : [0, high];
}

/** @param {number} value at least 1 counts */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return power * (value >= 5 * power ? 5 : value >= 2 * power ? 2 : 1);
}
