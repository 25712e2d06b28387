// Words over the pictures, for a moment.

import { h } from "./nodes.js";

const SHOWN = 2600; // ms

/**
 * @param {HTMLElement} place
 * @param {string} words
 * @param {number} [shown] ms
 */
export function toast(place, words, shown = SHOWN) {
  place.querySelector(".toast")?.remove();
  const node = h("div", { class: "toast" }, words);
  place.append(node);
  setTimeout(() => node.remove(), shown);
}
