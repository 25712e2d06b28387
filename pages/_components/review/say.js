// Words for the ear, and for the eye where nothing else on screen says it.

import { h } from "../desk/nodes.js";

/** @import { ReviewDesk } from "./desk.js" */

const SHOWN = 2600; // ms

/**
 * @param {ReviewDesk} desk
 * @param {string} words
 */
export function say({ parts }, words) {
  parts.live.textContent = words;
}

/**
 * @param {ReviewDesk} desk
 * @param {string} words
 */
export function show({ parts }, words) {
  parts.live.textContent = words;
  parts.stage.querySelector(".toast")?.remove();
  const toast = h("div", { class: "toast" }, words);
  parts.stage.append(toast);
  setTimeout(() => toast.remove(), SHOWN);
}
