// The classes of a set: which key stands for which, for good, and how an answer names one.

import { oneLine } from "./words.js";

/**
 * @import { Answer } from "./journal.js"
 *
 * @typedef {Object} Classes
 * @property {string[]} classes their names, those that were added since the import last
 * @property {number} imported how many are as old as the set
 */

/**
 * 1 is the first class, 0 the tenth. Classes that are digits themselves keep their own. A class that
 * was added since the import has none: its coming and going moves no key.
 *
 * @param {Classes} data
 * @returns {(string | null)[] | null} by label; null where more than ten came with the import: there
 *   only the suggestions have keys
 */
export function classKeys({ classes, imported }) {
  if (imported > 10) return null;
  const names = classes.slice(0, imported).map(oneLine);
  const digits = names.every((name) => /^[0-9]$/.test(name)) && new Set(names).size === imported;
  return classes.map((_, label) => {
    if (label >= imported) return null;
    return digits ? names[label] : String((label + 1) % 10);
  });
}

/**
 * The classes, and behind them those that answers on their way to the server bring along.
 *
 * @param {string[]} classes
 * @param {Iterable<Pick<Answer, "new_class" | "named">>} waiting
 */
export function withComing(classes, waiting) {
  const coming = [...waiting].flatMap((answer) => [answer.new_class, ...(answer.named ?? [])]);
  const fresh = coming.filter((name) => name && !classes.includes(name));
  return [...classes, ...new Set(/** @type {string[]} */ (fresh))];
}

/**
 * How an answer gives a class: one that was added goes by its name. Its number is the server's to
 * give, and somebody else may add one at the same moment.
 *
 * @param {Classes} data
 * @param {number} label its place among those offered
 * @param {string[]} [offered] by place; the classes, where nothing else was
 * @returns {{ label: number, name: string }} the number as far as it is known here, else -1; no name
 *   where the number is for good
 */
export function called({ classes, imported }, label, offered = classes) {
  if (label < imported) return { label, name: "" };
  return { label: classes.indexOf(offered[label]), name: offered[label] };
}

/**
 * The names of the classes that an answer gives.
 *
 * @param {string[]} classes
 * @param {Pick<Answer, "label" | "labels" | "new_class" | "named">} answer
 * @returns {string[]}
 */
export function namesIn(classes, { label, labels, new_class: only, named = [] }) {
  if (labels.length) return labels.map((each, i) => named[i] || classes[each]);
  return only || label !== null ? [only || classes[Number(label)]] : [];
}
