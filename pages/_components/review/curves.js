// By epoch: what each network gave the two classes, and the loss of the label.

import { h, section } from "../desk/nodes.js";
import { oneLine, short } from "../desk/words.js";
import { chart } from "./chart.js";
import { runName } from "./methods.js";

/**
 * @import { ReviewDesk } from "./desk.js"
 * @import { Curve, Found } from "./evidence.js"
 */

const LOW = 960; // px: a window without much room below the maps
const STACKED = 359; // px of the panel: sections stand one above the other up to here, as in review.css
const BESIDE = 1.18 / 2.18; // of the panel: a chart's share beside another section, as there
const COLUMNS = 32; // px between the two columns of a wide panel

/**
 * @template T
 * @param {T[]} values
 */
const lastOf = (values) => values[values.length - 1];

/**
 * The size of a chart: in pixels of the screen, so that its text is as large as all other.
 *
 * @param {ReviewDesk} desk
 * @param {boolean} one whether it has a wide panel's column for itself
 */
function sizeOf({ look, parts }, one) {
  const room = parts.panel.clientWidth - 8;
  if (!look.wide) {
    const width = room > STACKED ? (room - 18) * BESIDE : room;
    return { width: Math.max(180, Math.round(width)), height: window.innerHeight > LOW ? 98 : 84 };
  }
  const column = (room - COLUMNS) / 2;
  const width = Math.max(160, Math.round(one ? column : (column - 14) / 2));
  return { width, height: Math.round(Math.min(150, Math.max(84, width * (one ? 0.36 : 0.44)))) };
}

/**
 * The curves that can be drawn: one epoch is no curve.
 *
 * @param {Found} found
 */
export const drawable = ({ curves }) => curves.filter((each) => each.given.length > 1);

/**
 * Probabilities by epoch, of each run its own: side by side where there is room, else one of them,
 * chosen by its name.
 *
 * @param {ReviewDesk} desk
 * @param {Found} found
 */
export function byEpoch(desk, found) {
  const curves = drawable(found);
  if (!curves.length) return null;
  const keys = curves.map((each) => each.key);
  /** @param {Curve} each */
  const name = (each) => runName(desk, each.key, each.source, keys);
  const title = h("b", null, "Probability in training, by epoch");
  const { wide, curve: asked } = desk.look;
  if (wide && curves.length > 1) {
    const small = curves.map((each) =>
      h(
        "div",
        null,
        h("div", { class: "cap" }, name(each)),
        drawn(desk, found, each, sizeOf(desk, false)),
      ),
    );
    return section(title, null, h("div", { class: "curves" }, small));
  }
  const shown = curves.find((each) => each.key === asked) ?? curves[0];
  const node = drawn(desk, found, shown, sizeOf(desk, true));
  if (curves.length === 1) return section(title, h("span", null, name(shown)), node);
  return section(title, whose(desk, curves, shown, name), node);
}

/**
 * A choice of whose curve is drawn.
 *
 * @param {ReviewDesk} desk
 * @param {Curve[]} curves
 * @param {Curve} shown
 * @param {(each: Curve) => string} name
 */
function whose(desk, curves, shown, name) {
  const options = curves.map((each) =>
    h("option", { value: each.key, selected: each === shown }, short(name(each), 22)),
  );
  /** @param {Event} event */
  const onchange = (event) =>
    desk.acts.chooseCurve(/** @type {HTMLSelectElement} */ (event.target).value);
  const props = { "aria-label": "whose curve", title: oneLine(shown.source), onchange };
  return h("span", { class: "source" }, h("select", props, options));
}

/**
 * @param {ReviewDesk} desk
 * @param {Found} found
 * @param {Curve} curve
 * @param {{ width: number, height: number }} size
 */
function drawn(desk, { top }, curve, size) {
  const { classes } = desk.data;
  const given = oneLine(desk.queue.item ? classes[desk.queue.item.given] : "");
  const other = curve.other ? "best other" : oneLine((top[0] && classes[top[0].label]) ?? "other");
  const node = chart(
    [
      { values: curve.suggested, kind: "suggested", name: other },
      { values: curve.given, kind: "given", name: given },
    ],
    { low: 0, high: 1, ...size },
  );
  const [a, b] = curve.ends;
  const words = `${given} ends at ${a}, ${other} at ${b}`;
  node.setAttribute("aria-label", `probability by epoch in ${curve.source}: ${words}`);
  return node;
}

/**
 * @param {ReviewDesk} desk
 * @param {Found} found
 */
export function lossByEpoch(desk, { loss }) {
  const title = h("b", null, "Loss by epoch");
  if (!loss || loss.values.length < 2) return null;
  const node = chart([{ values: loss.values, kind: "given", name: "this image" }], {
    low: 0,
    high: Math.max(1, ...loss.values),
    ...sizeOf(desk, true),
  });
  const end = lastOf(loss.values).toFixed(2);
  node.setAttribute("aria-label", `loss of the given label by epoch, last ${end}`);
  return section(title, h("span", null, loss.source), node);
}
