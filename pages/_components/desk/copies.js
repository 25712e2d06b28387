// Copies of one picture: whether an answer goes to all of them. The choice stays for this tab.

/**
 * @import { Answer, Entry } from "./journal.js"
 * @import { Item } from "./progress.js"
 */

const MEMORY = "lnl:together";

/** @returns {boolean} whether answers go to all copies */
export function readTogether() {
  try {
    return sessionStorage.getItem(MEMORY) === "1";
  } catch {
    return false;
  }
}

/** @param {boolean} together */
export function keepTogether(together) {
  try {
    sessionStorage.setItem(MEMORY, together ? "1" : "0");
  } catch {
    // the choice ends with the page
  }
}

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
  done.set(item.row, entry);
  if (entry.action === "reopen") {
    for (const [row, each] of done) if (before && each === before) done.set(row, entry);
  } else if (entry.together) {
    for (const row of item.copies ?? []) {
      const answer = done.get(row);
      if (!answer || answer.action === "reopen") done.set(row, entry);
    }
  }
}
