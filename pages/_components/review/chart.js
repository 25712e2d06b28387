// A chart by epoch: one line or two, each with its name at its end.

import { svg } from "../desk/nodes.js";
import { oneLine, shortName } from "../desk/words.js";

/**
 * @typedef {Object} Line
 * @property {number[]} values one an epoch
 * @property {"given" | "suggested"} kind
 * @property {string} name
 *
 * @typedef {{ low: number, high: number, width: number, height: number }} Frame
 *   values at the lower and the upper end; px
 */

const NAME = 14; // px that a name needs

/**
 * Heights of the lines' names: at the lines' ends, apart where these meet.
 *
 * @param {number[]} ends px from above
 * @param {number} top
 * @param {number} bottom
 * @returns {number[]}
 */
export function namePlaces(ends, top, bottom) {
  if (ends.length !== 2 || Math.abs(ends[0] - ends[1]) >= NAME) return ends;
  const middle = Math.min(Math.max((ends[0] + ends[1]) / 2, top + 11), bottom - 3);
  const [above, below] = [middle - NAME / 2, middle + NAME / 2];
  return ends[0] <= ends[1] ? [above, below] : [below, above];
}

/**
 * @param {Line[]} lines of one length
 * @param {Frame} frame
 */
export function chart(lines, { low, high, width, height }) {
  const [left, right, top, bottom] = [26, width - 66, 8, height - 20];
  const epochs = lines[0].values.length;
  /** @param {number} i */
  const x = (i) => left + (right - left) * (epochs > 1 ? i / (epochs - 1) : 0);
  /** @param {number} value */
  const y = (value) =>
    bottom - (bottom - top) * Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
  const grid = [low, (low + high) / 2, high].flatMap((value) => [
    svg("line", { class: "gr", x1: left, x2: right, y1: y(value), y2: y(value) }),
    svg(
      "text",
      { x: left - 5, y: y(value) + 4, "text-anchor": "end" },
      String(Math.round(value * 10) / 10),
    ),
  ]);
  const ends = lines.map((line) => y(line.values[epochs - 1]) + 4);
  const names = namePlaces(ends, top, bottom);
  const drawn = lines.flatMap((line, i) => {
    const d = line.values
      .map((value, j) => `${j ? "L" : "M"}${x(j).toFixed(1)} ${y(value).toFixed(1)}`)
      .join("");
    const whole = svg("title", null, oneLine(line.name));
    const name = { x: right + 5, y: names[i], class: `b ${line.kind}` };
    return [
      svg("path", { d, class: `line ${line.kind}` }),
      svg("text", name, whole, shortName(line.name, 10)),
    ];
  });
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img" },
    grid,
    drawn,
    svg("text", { x: left, y: height - 4 }, "epoch 1"),
    svg("text", { x: right, y: height - 4, "text-anchor": "end" }, String(epochs)),
  );
}
