// By epoch: what each network gave the two classes, and the loss of the label.

import { gap, h, section } from "../desk/nodes.js";
import { oneLine, short } from "../desk/words.js";
import { chart } from "./chart.js";
import { runName } from "./methods.js";

/**
 * @import { ReviewDesk } from "./desk.js"
 * @import { Curve, Found } from "./evidence.js"
 */

const NARROW = { width: 236, height: 98 }; // px of a chart
const SMALL = { width: 190, height: 84 };

/**
 * @template T
 * @param {T[]} values
 */
const lastOf = (values) => values[values.length - 1];

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
  const title = h("b", null, "Probability by epoch");
  const { wide, curve: asked } = desk.look;
  if (wide && curves.length > 1) {
    const small = curves.map((each) =>
      h("div", null, h("div", { class: "cap" }, name(each)), drawn(desk, found, each, SMALL)),
    );
    return section(title, null, h("div", { class: "curves" }, small));
  }
  const shown = curves.find((each) => each.key === asked) ?? curves[0];
  const node = drawn(desk, found, shown, wide ? { width: 392, height: 150 } : NARROW);
  if (curves.length === 1) return section(title, h("span", null, name(shown)), node);
  /** @param {Curve} each */
  const button = (each) => {
    const pressed = String(each === shown);
    const props = { type: "button", class: "plainbtn tab", "aria-pressed": pressed };
    const onclick = () => desk.acts.chooseCurve(each.key);
    return h("button", { ...props, onclick, title: oneLine(each.source) }, short(name(each), 14));
  };
  return h(
    "div",
    { class: "sec" },
    h("div", { class: "hd" }, title, gap()),
    h("div", { class: "tabs", role: "group", "aria-label": "Whose curve" }, curves.map(button)),
    node,
  );
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
    ...(desk.look.wide ? { width: 392, height: 130 } : NARROW),
  });
  const end = lastOf(loss.values).toFixed(2);
  node.setAttribute("aria-label", `loss of the given label by epoch, last ${end}`);
  return section(title, h("span", null, loss.source), node);
}
