// The image at hand stays: when the mode changes, and when the page is opened anew.

import { showsEvidence } from "./desk.js";
import { drawOverlay } from "./overlay.js";
import { drawPanel } from "./panel.js";
import { showAt } from "./present.js";
import { isAnswered, nextOpen, placeOf } from "./queue.js";
import { askForEvidence, drawKeys } from "./stage.js";

/**
 * @import { ReviewDesk } from "./desk.js"
 * @import { Mode } from "./turn.js"
 */

const PATIENCE = 4000; // ms

/**
 * Back to the image that this tab showed before, in a queue that begins anew. Where the server did
 * not send it, it is asked for, and nothing else is shown until it answers; it may say no, where the
 * image has its answer.
 *
 * @param {ReviewDesk} desk
 * @param {number | null} before its row where the queue begins anew now, else null
 * @returns {boolean} whether the image is here, or awaited
 */
export function comeBack(desk, before) {
  const { queue } = desk;
  const anew = before !== null;
  if (!anew && queue.item) desk.awaited = null; // Z brought one back meanwhile: that one stays
  const row = anew ? before : desk.awaited;
  if (!anew && row !== null && desk.data.asked !== row) return true; // not its answer yet
  desk.awaited = null;
  if (row === null || isAnswered(queue, row)) return false;
  const index = placeOf(queue, row);
  if (index >= 0) {
    const [item] = queue.list.splice(index, 1);
    queue.list.unshift(item);
    showAt(desk, 0);
    return true;
  }
  if (!anew) return false;
  desk.awaited = row;
  setTimeout(() => desk.go(`here:${row}`)); // not while the page draws
  setTimeout(() => giveUp(desk, row), PATIENCE);
  return true;
}

/**
 * @param {ReviewDesk} desk
 * @param {number} row that no answer has come for
 */
function giveUp(desk, row) {
  if (desk.awaited !== row || desk.queue.item) return;
  desk.awaited = null;
  showAt(desk, nextOpen(desk.queue, desk.queue.at));
}

/**
 * The same image in another mode: what it showed was seen.
 *
 * @param {ReviewDesk} desk
 * @param {Mode} before
 */
export function changeMode(desk, before) {
  const { turn, queue, advised } = desk;
  if (before === "assisted" && queue.item && advised.has(queue.item.row)) turn.revealed = true;
  if (showsEvidence(desk)) askForEvidence(desk);
  drawKeys(desk);
  drawPanel(desk);
  drawOverlay(desk);
}
