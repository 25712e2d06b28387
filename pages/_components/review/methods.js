// What the methods say of the image: by epoch, and each on its own.

import { h, missing, named, section } from "../desk/nodes.js";
import { oneLine, plural, short } from "../desk/words.js";
import { chart } from "./chart.js";
import { isUnlabelled } from "./desk.js";

/**
 * @import { ReviewDesk } from "./desk.js"
 * @import { Found, Opinion } from "./evidence.js"
 */

const NARROW = { width: 236, height: 98 }; // px of a chart
const FEW = 5; // methods shown where the panel is narrow

/**
 * @template T
 * @param {T[]} values
 */
const lastOf = (values) => values[values.length - 1];

/**
 * @param {Found["curve"]} curve
 * @returns {curve is NonNullable<Found["curve"]>}
 */
export const hasCurve = (curve) => curve !== null && curve.given.length > 1;

/**
 * @param {ReviewDesk} desk
 * @param {Found} found
 */
export function byEpoch(desk, { curve, top }) {
  const title = h("b", null, "Probability by epoch");
  if (!hasCurve(curve)) return null;
  const { classes } = desk.data;
  const given = oneLine(desk.queue.item ? classes[desk.queue.item.given] : "");
  const other = curve.other ? "best other" : oneLine((top[0] && classes[top[0].label]) ?? "other");
  const node = chart(
    [
      { values: curve.suggested, kind: "suggested", name: other },
      { values: curve.given, kind: "given", name: given },
    ],
    { low: 0, high: 1, ...(desk.look.wide ? { width: 392, height: 150 } : NARROW) },
  );
  const [a, b] = [curve.given, curve.suggested].map((values) => lastOf(values).toFixed(2));
  const words = `${given} ends at ${a}, ${other} at ${b}`;
  node.setAttribute("aria-label", `probability by epoch in ${curve.source}: ${words}`);
  return section(title, desk.look.wide ? h("span", null, curve.source) : null, node);
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
  return section(title, desk.look.wide ? h("span", null, loss.source) : null, node);
}

/** @param {string} key of a ranking: a method, or one of its runs (`method@...`) */
const methodOf = (key) => key.split("@")[0];

/**
 * @param {ReviewDesk} desk
 * @param {Found} found
 */
export function opinions(desk, { methods }) {
  const known = desk.data.methods;
  /** @param {Opinion} one */
  const isBaseline = (one) => Boolean(known[methodOf(one.key)]?.baseline);
  const all = [...methods].sort((a, b) => Number(isBaseline(a)) - Number(isBaseline(b)));
  /** @param {Opinion} one */
  const nameOf = (one) => {
    const alone = all.filter((each) => methodOf(each.key) === methodOf(one.key)).length === 1;
    return (alone && known[methodOf(one.key)]?.name) || one.title;
  };
  const asked = all.filter((one) => !one.told);
  const wrong = asked.filter((one) => one.wrong).length;
  const rows = (desk.look.wide ? all : all.slice(0, FEW)).map((one) =>
    opinion(desk, one, nameOf(one), isBaseline(one) ? "base" : ""),
  );
  const said = isUnlabelled(desk)
    ? "What they say"
    : `${wrong} of ${plural(asked.length, "method")} expect another class`;
  const title = h("b", null, said);
  const none = "No run has seen this image: it was added later. Start one in Runs.";
  return section(title, null, rows.length ? h("div", null, rows) : missing(none));
}

/**
 * @param {ReviewDesk} desk
 * @param {Opinion} one
 * @param {string} name
 * @param {string} kind
 */
function opinion(desk, one, name, kind) {
  const choice =
    one.label === null
      ? h("span", { class: "cap" }, "–")
      : named(
          "span",
          desk.data.classes[one.label],
          { class: one.wrong || isUnlabelled(desk) ? "suggested" : "given" },
          12,
        );
  const told = "told: it learned from people's answer to this image";
  const bar = h("i", { class: kind, style: { width: `${100 * (one.suspicion ?? 0)}%` } });
  return h(
    "div",
    { class: "opinion" },
    h("span", { class: kind, title: oneLine(one.title) }, short(name, 22)),
    one.told ? h("span", { class: "cap", title: told }, "told") : h("span", { class: "bar" }, bar),
    choice,
  );
}
