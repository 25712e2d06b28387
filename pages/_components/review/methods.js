// What the methods say of the image, each on its own.

import { h, missing, named, section } from "../desk/nodes.js";
import { oneLine, short } from "../desk/words.js";
import { isUnlabelled } from "./desk.js";
import { doubt } from "./reason.js";

/**
 * @import { ReviewDesk } from "./desk.js"
 * @import { Found, Opinion } from "./evidence.js"
 */

const FEW = 5; // methods shown where the panel is narrow

/** @param {string} key of a ranking: a method, or one of its runs (`method@...`) */
const methodOf = (key) => key.split("@")[0];

/**
 * What a run is called: by its method, where it is the only one of it.
 *
 * @param {ReviewDesk} desk
 * @param {string} key of the run
 * @param {string} title in full
 * @param {string[]} keys of all
 */
export function runName(desk, key, title, keys) {
  const alone = keys.filter((each) => methodOf(each) === methodOf(key)).length === 1;
  return (alone && desk.data.methods[methodOf(key)]?.name) || title;
}

/**
 * @param {ReviewDesk} desk
 * @param {Found} found
 */
export function opinions(desk, { methods }) {
  const known = desk.data.methods;
  /** @param {Opinion} one */
  const isBaseline = (one) => Boolean(known[methodOf(one.key)]?.baseline);
  const all = [...methods].sort((a, b) => Number(isBaseline(a)) - Number(isBaseline(b)));
  const keys = all.map((one) => one.key);
  const rows = (desk.look.wide ? all : all.slice(0, FEW)).map((one) =>
    opinion(desk, one, runName(desk, one.key, one.title, keys), isBaseline(one) ? "base" : ""),
  );
  const said = isUnlabelled(desk) ? "What they say" : doubt(all);
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
