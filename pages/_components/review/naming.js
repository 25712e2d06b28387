// "What is this?" of an image whose label is hidden: the classes, with their keys.

import { classKeys, namesIn, withComing } from "../desk/classes.js";
import { icon } from "../desk/icons.js";
import { cap, h, named, roomy, section } from "../desk/nodes.js";
import { waitingIn } from "../desk/outbox.js";
import { verdict } from "../desk/verdicts.js";
import { answeredBefore } from "./said.js";

/**
 * @import { Answer } from "../desk/journal.js"
 * @import { Action } from "../desk/verdicts.js"
 * @import { ReviewDesk } from "./desk.js"
 */

const LISTED = 20; // classes; the others are searched

/**
 * What is asked of an image whose label is hidden, and what was said of it before.
 *
 * @param {ReviewDesk} desk
 * @param {Answer | undefined} answer
 */
export function blindQuestion({ data, queue: { item } }, answer) {
  const said = answer && answer.action !== "reopen" ? answer : null;
  const earlier = answer || !item?.said ? "" : h("span", { class: "v" }, answeredBefore(item.said));
  const name = said?.action === "relabel" ? namesIn(data.classes, said)[0] : null;
  const before = name ? h("span", null, "You said ", named("b", name)) : null;
  return [
    h("b", { class: "given" }, "What is this?"),
    before ?? (said ? verdict(/** @type {Action} */ (said.action)) : earlier),
    h("span", { class: "meta" }, icon("hidden", 14), " label hidden"),
  ];
}

/**
 * The classes to press; a set with more than have keys is searched.
 *
 * @param {ReviewDesk} desk
 */
export function classList(desk) {
  const { imported, no_classes: none, retired = [] } = desk.data;
  const classes = withComing(desk.data.classes, waitingIn(desk.outbox));
  const keys = classKeys({ classes, imported });
  const title = h("b", null, "What is this?");
  if (!keys) {
    const words = [
      "Its label and the suggestion are hidden. Search its class with ",
      cap("/"),
      ".",
    ];
    return section(title, null, h("div", { class: "cap guide" }, ...words));
  }
  const rows = classes
    .map((name, label) => ({ name, label, key: keys[label] }))
    .filter(({ label }) => !none.includes(label) && !retired.includes(label))
    .sort((a, b) => place(a.key) - place(b.key))
    .slice(0, LISTED)
    .map(({ name, label, key }) => {
      const onclick = () => desk.acts.relabel(label, classes);
      const button = { type: "button", class: "choice naming", onclick };
      return h("button", button, key === null ? h("span") : cap(key), roomy(name, "name"));
    });
  const words = h("span", null, "label and suggestion stay hidden");
  return section(title, words, h("div", { class: "choices two-up" }, rows));
}

/**
 * @param {string | null} key
 * @returns {number} 1 first, 0 last, as on the keyboard; behind them what has no key
 */
const place = (key) => (key === null ? 10 : (Number(key) + 9) % 10);
