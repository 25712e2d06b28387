// "What is this?" of an image whose label is hidden: the classes, with their keys.

import { classKeys } from "../desk/classes.js";
import { icon } from "../desk/icons.js";
import { cap, h, named, section } from "../desk/nodes.js";
import { verdict } from "../desk/verdicts.js";
import { answeredBefore } from "./said.js";

/**
 * @import { Answer } from "../desk/journal.js"
 * @import { Action } from "../desk/verdicts.js"
 * @import { ReviewDesk } from "./desk.js"
 */

/**
 * What is asked of an image whose label is hidden, and what was said of it before.
 *
 * @param {ReviewDesk} desk
 * @param {Answer | undefined} answer
 */
export function blindQuestion({ data, queue: { item } }, answer) {
  const said = answer && answer.action !== "reopen" ? answer : null;
  const earlier = answer || !item?.said ? "" : h("span", { class: "v" }, answeredBefore(item.said));
  const name = said?.action === "relabel" ? data.classes[Number(said.label)] : null;
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
  const { classes, no_classes: none, retired = [] } = desk.data;
  const keys = classKeys(classes);
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
    .map((name, label) => ({ name, label, key: String(keys[label]) }))
    .filter(({ label }) => !none.includes(label) && !retired.includes(label))
    .sort((a, b) => place(a.key) - place(b.key))
    .map(({ name, label, key }) => {
      const onclick = () => desk.acts.answer("relabel", { label });
      const button = { type: "button", class: "choice naming", onclick };
      return h("button", button, cap(key), named("span", name, { class: "name" }, 22));
    });
  const words = h("span", null, "label and suggestion stay hidden");
  return section(title, words, h("div", { class: "choices two-up" }, rows));
}

/**
 * @param {string} key
 * @returns {number} 1 first, 0 last, as on the keyboard
 */
const place = (key) => (Number(key) + 9) % 10;
