// Words over the pictures, for a moment. The next image does not take them away.

import { h } from "./nodes.js";

/**
 * @typedef {"said" | "refused" | "news"} Kind each has a line of its own, and its last words
 *
 * @typedef {Object} Refusals presses in a row that did nothing
 * @property {number} n
 * @property {string[]} reasons
 */

const SHOWN = 2600; // ms

/** @type {WeakMap<HTMLElement, { refusals: Refusals, node: HTMLElement }>} */
const refusedIn = new WeakMap();

/**
 * @param {HTMLElement} place
 * @param {string} words
 * @param {Kind} [kind]
 * @param {number} [shown] ms
 */
export function toast(place, words, kind = "said", shown = SHOWN) {
  let stack = place.querySelector(":scope > .toasts");
  if (!stack) {
    stack = h("div", { class: "toasts" });
    place.append(stack);
  }
  stack.querySelector(`.${kind}`)?.remove();
  const node = h("div", { class: `toast ${kind}` }, words);
  stack.append(node);
  setTimeout(() => node.remove(), shown);
  return node;
}

/**
 * Say that a press did nothing, and why; while that is on screen, how many did.
 *
 * @param {HTMLElement} place
 * @param {string} reason
 * @returns {string} the words
 */
export function refuseIn(place, reason) {
  const last = refusedIn.get(place);
  const refusals = oneMore(last?.node.isConnected ? last.refusals : null, reason);
  const words = refusalWords(refusals);
  refusedIn.set(place, { refusals, node: toast(place, words, "refused") });
  return words;
}

/**
 * @param {Refusals | null} before
 * @param {string} reason
 * @returns {Refusals}
 */
export function oneMore(before, reason) {
  const { n, reasons } = before ?? { n: 0, reasons: [] };
  return { n: n + 1, reasons: [...new Set([...reasons, reason])] };
}

/** @param {Refusals} refusals */
export const refusalWords = ({ n, reasons }) =>
  `${n === 1 ? "Not" : `${n} presses not`} counted: ${reasons.join("; ")}.`;
