// Words for the ear, and for the eye where nothing else on screen says it.

import { toast } from "../desk/toast.js";

/** @import { ReviewDesk } from "./desk.js" */

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
  toast(parts.stage, words);
}
