// Choosing a class by a key or a press: which one it is, and why it may not be taken.

import { classKeys } from "../desk/classes.js";
import { oneLine } from "../desk/words.js";

/**
 * @import { ReviewData } from "./desk.js"
 * @import { Known } from "./evidence.js"
 */

export const SUGGESTED = 3; // classes offered with a key each

export const IS_GIVEN = "That is the given label. K says that it is right.";

/**
 * The class that a digit stands for.
 *
 * @param {Pick<ReviewData, "classes" | "imported">} data
 * @param {Known | undefined} known the evidence that is on screen, or how far it is
 * @param {string} digit
 * @returns {number | string} its label, or the reason why there is none
 */
export function classOf(data, known, digit) {
  const keys = classKeys(data);
  if (keys) {
    const label = keys.indexOf(digit);
    return label < 0 ? `no class has the key ${digit}; / finds one by its name` : label;
  }
  if (known?.state !== "ready") return noSuggestion(known);
  const option = known.found.top.slice(0, SUGGESTED)[Number(digit) - 1];
  return option?.label ?? `no suggestion has the key ${digit}; / finds a class by its name`;
}

/**
 * Why no suggestion can be taken.
 *
 * @param {Known | undefined} known the evidence that is on screen, or how far it is
 */
export function noSuggestion(known) {
  if (known?.state === "loading") return "the suggestion is still coming";
  if (known?.state === "failed") return "the suggestion cannot be loaded now";
  return "there is no suggestion here; / finds a class by its name";
}

/**
 * Why a class that nobody named may not be taken.
 *
 * @param {Pick<ReviewData, "no_classes" | "retired">} data
 * @param {number | undefined} given
 * @param {number} label its place among those offered
 * @param {string[]} offered
 * @returns {string} words; empty where it may
 */
export function objection({ no_classes: none, retired = [] }, given, label, offered) {
  const name = oneLine(offered[label] ?? "");
  if (label === given) return IS_GIVEN;
  if (none.includes(label)) return `${name} is no class.`;
  if (!retired.includes(label)) return "";
  return `${name} is offered no more: its answers were taken back. / adds it anew by its name.`;
}
