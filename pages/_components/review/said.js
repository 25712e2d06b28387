// The answer that an image had before it was shown: under a filter, or by a link.

import { icon } from "../desk/icons.js";
import { h, named } from "../desk/nodes.js";
import { verdict, VERDICTS } from "../desk/verdicts.js";
import { oneLine, short } from "../desk/words.js";

/**
 * @import { Answer } from "../desk/journal.js"
 * @import { Item, Said } from "../desk/progress.js"
 * @import { Action } from "../desk/verdicts.js"
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
function saidBefore(classes, { said }) {
  if (!said) return "";
  if (!said.action) return h("span", { class: "v skip before" }, answeredBefore(said));
  const [name, word] = VERDICTS[said.action];
  const words = named("span", `${word}${saidWords(classes, said)}`, { class: "more" }, 60);
  return h("span", { class: `v ${said.action} before` }, icon(name, 15), words);
}

/**
 * Why a skip is none: what the person has answered stays.
 *
 * @param {Pick<Item, "said" | "blind">} item
 * @param {{ action: Action } | undefined} before what the person answered, where it is told
 * @returns {string} empty where it is one
 */
export function leftWords({ said, blind }, before) {
  if (before) {
    if (before.action === "skip") return "";
    return `Left as it was: ${blind ? "your answer stays" : VERDICTS[before.action][1]}.`;
  }
  return said && !said.by && !said.action ? "Left as it was: your answer stays." : "";
}

/**
 * Which answer of an image is shown: the last one here, `before` for the one that it came with, or
 * none. A skip answers nothing, so it hides nobody's answer; nor does one that was taken back.
 *
 * @param {Pick<Item, "said">} item
 * @param {Pick<Answer, "action"> | undefined} answer the last one here
 * @returns {Action | "before" | ""}
 */
export function shownAnswer({ said }, answer) {
  const action = answer?.action;
  const answers = action && action !== "skip" && action !== "reopen";
  if (!answers && said && (!action || said.by !== undefined)) return "before";
  return action && action !== "reopen" ? action : "";
}

/**
 * @param {string[]} classes
 * @param {Pick<Item, "said">} item
 * @param {Pick<Answer, "action"> | undefined} answer the last one here
 */
export function saidNow(classes, item, answer) {
  const shown = shownAnswer(item, answer);
  if (shown === "before") return saidBefore(classes, item);
  return shown && verdict(shown);
}

/**
 * What is said of hidden looks, whichever image is shown: it tells none. Nothing where a queue has
 * none, because they are off or the queue is narrowed.
 *
 * @param {{ looks?: boolean }} data
 */
export const looksWords = ({ looks }) =>
  looks ? "Some images come twice or without their label, to measure people's errors." : "";
