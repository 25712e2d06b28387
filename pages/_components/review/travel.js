// To and fro: along the queue, and out of turn to an image of the evidence.

import { focus } from "../desk/keys.js";
import { lastAnswers } from "./desk.js";
import { toggleTogether } from "./look.js";
import { askWhich, reveal, showAt } from "./present.js";
import { isAnswered, itemOf, placeOf } from "./queue.js";
import { show } from "./say.js";

/** @import { ReviewDesk } from "./desk.js" */

/**
 * @param {ReviewDesk} desk
 * @param {number} by
 */
export function step(desk, by) {
  const { queue } = desk;
  let index = queue.at + by;
  if (index < 0) {
    // before this visit: the answers that the server knows
    const rows = new Set(queue.list.map((item) => item.row));
    const older = lastAnswers(desk).find((each) => !rows.has(each.row));
    if (!older) {
      show(desk, "This is the first image.");
      return;
    }
    queue.list.unshift(itemOf(older));
    queue.done.set(older.row, older);
    index = 0;
  }
  if (index < queue.list.length) showAt(desk, index);
  else show(desk, "No image comes after this one yet.");
}

/**
 * Out of turn: to an image of the evidence.
 *
 * @param {ReviewDesk} desk
 * @param {number} row
 */
export function jump(desk, row) {
  const { queue, detour } = desk;
  if (!queue.item || row === queue.item.row) return;
  detour.from ??= { row: queue.item.row, turn: desk.turn };
  detour.to = row;
  desk.go(`row:${row}`);
  if (placeOf(queue, row) < 0) {
    const known = lastAnswers(desk).find((each) => each.row === row);
    if (known) {
      queue.list.splice(queue.at + 1, 0, itemOf(known));
      queue.done.set(row, known);
    }
  }
  land(desk);
}

/**
 * The image of a jump may be here already, or comes with what the server says next.
 *
 * @param {ReviewDesk} desk
 * @returns {boolean} whether it is here
 */
export function land(desk) {
  const { detour, queue } = desk;
  const index = detour.to === null ? -1 : placeOf(queue, detour.to);
  if (index < 0) return false;
  detour.to = null;
  showAt(desk, index);
  focus(desk.parts.root);
  return true;
}

/**
 * Back to the image whose evidence led away, as it was left.
 *
 * @param {ReviewDesk} desk
 */
export function back(desk) {
  const { detour, queue } = desk;
  if (!detour.from) {
    show(desk, "This image is in its turn already.");
    return;
  }
  const { row, turn } = detour.from;
  detour.to = detour.from = null;
  desk.go("back");
  showAt(desk, placeOf(queue, row));
  if (!queue.item || isAnswered(queue, row)) return;
  desk.turn.advised = turn.advised; // the same turn goes on
  if (turn.revealed) reveal(desk);
  if (turn.together) toggleTogether(desk);
  if (turn.phase === "wrong") askWhich(desk);
}
