// Every verdict has a colour, an icon and a word.

import { icon } from "./icons.js";
import { h } from "./nodes.js";

/**
 * @import { IconName } from "./icons.js"
 * @typedef {"keep" | "relabel" | "multiple" | "none" | "unsure" | "skip"} Action
 */

/** @type {Record<Action, [IconName, string]>} */
export const VERDICTS = {
  keep: ["check", "kept"],
  relabel: ["swap", "relabelled"],
  multiple: ["stacks", "several classes"],
  none: ["block", "none fits"],
  unsure: ["help", "to 2nd reviewer"],
  skip: ["skip", "skipped"],
};

/** @param {Action} action */
export function verdict(action) {
  const [name, word] = VERDICTS[action];
  return h("span", { class: `v ${action}` }, icon(name, 15), word);
}
