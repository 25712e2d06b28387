// Words for the ear, and for the eye where nothing else on screen says it.

import { openKeys } from "../desk/keys.js";
import { refuseIn, toast } from "../desk/toast.js";

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
  toast(placeOf(parts), words);
}

/**
 * Do nothing at a press, and say why.
 *
 * @param {ReviewDesk} desk
 * @param {string} reason
 */
export function refuse({ parts }, reason) {
  parts.live.textContent = refuseIn(placeOf(parts), reason);
}

/** @param {ReviewDesk["parts"]} parts */
const placeOf = ({ root, stagecol }) => openKeys(root) ?? stagecol;
