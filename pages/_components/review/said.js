// The answer that an image had before it was shown: under a filter, or by a link.

import { icon } from "../desk/icons.js";
import { h, named } from "../desk/nodes.js";
import { VERDICTS } from "../desk/verdicts.js";
import { oneLine, short } from "../desk/words.js";

/**
 * @import { Item, Said } from "../desk/progress.js"
 */

/** @param {Said} said what is not to be told */
export const answeredBefore = ({ by }) =>
  by ? `answered by ${short(oneLine(by), 18)}` : "answered by you";

/**
 * What an answer names beside its verdict, and whose it is.
 *
 * @param {string[]} classes
 * @param {Said} said
 */
export function saidWords(classes, { action, label, labels = [], by }) {
  const all = action === "relabel" ? [Number(label)] : action === "multiple" ? labels : [];
  const names = all.map((each) => classes[each]).join(" + ");
  return `${names ? `: ${names}` : ""}${by ? `, by ${by}` : ", by you"}`;
}

/**
 * @param {string[]} classes
 * @param {Pick<Item, "said">} item
 */
export function saidBefore(classes, { said }) {
  if (!said) return "";
  if (!said.action) return h("span", { class: "v skip before" }, answeredBefore(said));
  const [name, word] = VERDICTS[said.action];
  const words = named("span", `${word}${saidWords(classes, said)}`, { class: "more" }, 60);
  return h("span", { class: `v ${said.action} before` }, icon(name, 15), words);
}

/**
 * What is said of hidden looks, whichever image is shown: it tells none. Nothing where a queue has
 * none, because they are off or the queue is narrowed.
 *
 * @param {{ looks?: boolean }} data
 */
export const looksWords = ({ looks }) =>
  looks ? "Some images come twice or without their label, to measure people's errors." : "";
