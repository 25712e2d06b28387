// Copies of one picture: whether an answer goes to all of them. It is chosen anew at each picture:
// nobody answers unseen copies because of a key pressed long before.

import { standing } from "./progress.js";

/**
 * @import { Answer, Entry } from "./journal.js"
 * @import { Item } from "./progress.js"
 */

/**
 * @param {Item | null} item
 * @returns {number} other copies that an answer would go to
 */
export const openCopies = (item) => item?.copies_open ?? 0;

/** @param {Item} item */
export const timesStored = (item) => 1 + (item.copies_total ?? 0);

/**
 * What an answer says about copies.
 *
 * @param {Item} item
 * @param {boolean} together
 * @returns {{ together?: boolean, others?: number }}
 */
export const forCopies = (item, together) =>
  together && openCopies(item) ? { together: true, others: openCopies(item) } : {};

/**
 * Note an answer on the image and, where it goes there, on its copies, as far as they are known.
 *
 * @param {Map<number, Answer>} done the last answer by row
 * @param {Item} item
 * @param {Entry} entry
 */
export function noteAnswer(done, item, entry) {
  const before = /** @type {Entry | undefined} */ (done.get(item.row));
  done.set(item.row, standing(entry));
  if (entry.action === "reopen") {
    for (const [row, each] of done) if (before && each === before) done.set(row, entry);
  } else if (entry.together) {
    for (const row of item.copies ?? []) {
      const answer = done.get(row);
      if (!answer || answer.action === "reopen") done.set(row, entry);
    }
  }
}
