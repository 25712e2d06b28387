// A page of images of one given class, and which of them are marked as not of it. Keys lie as the
// images do, whatever the keyboard's layout.

/**
 * @import { Answer } from "../desk/journal.js"
 * @import { Item } from "../desk/progress.js"
 *
 * @typedef {Object} Page
 * @property {number} label of the given class
 * @property {Item[]} items
 * @property {number[]} exemplars rows
 *
 * @typedef {Object} Marks
 * @property {Page} page
 * @property {Set<number>} rows marked
 * @property {number} frame the framed place
 * @property {boolean} together whether answers of this page go to all copies
 * @property {boolean} stale committed; the next one is awaited
 * @property {number | null} seenAt ms of the page's clock when the pictures were on screen
 * @property {boolean} broken whether none of them can be loaded
 */

const ROWS = ["QWER", "ASDF", "ZXCV"];

export const CODES = [...ROWS.join("")].map((letter) => `Key${letter}`);
export const COLUMNS = ROWS[0].length;

/**
 * @param {Page} page
 * @param {Iterable<number>} rows marked
 * @returns {Marks}
 */
export const openMarks = (page, rows) => ({
  page,
  rows: new Set(rows),
  frame: 0,
  together: false,
  stale: false,
  seenAt: null,
  broken: false,
});

/**
 * What is shown after a commit, until the server says what comes.
 *
 * @param {Page} page
 * @returns {Marks}
 */
export const awaitNext = (page) => ({
  ...openMarks({ ...page, items: [] }, []),
  stale: true,
});

/**
 * The first page that still has an open image, without those that have an answer.
 *
 * @param {Page[]} pages
 * @param {Map<number, Answer>} done
 * @returns {Page | null}
 */
export function firstOpen(pages, done) {
  for (const page of pages) {
    const items = page.items.filter(({ row }) => (done.get(row)?.action ?? "reopen") === "reopen");
    if (items.length) return { ...page, items };
  }
  return null;
}

/**
 * Mark the image at a place, or take its mark away.
 *
 * @param {Marks} marks
 * @param {number} index
 */
export function toggle(marks, index) {
  const item = marks.page.items[index];
  if (!item) return;
  if (!marks.rows.delete(item.row)) marks.rows.add(item.row);
  marks.frame = index;
}

/**
 * Copies of a marked image are marked as well: they show the same.
 *
 * @param {Marks} marks
 * @param {Item} item that was marked, or whose mark was taken away
 */
export function toggleCopies({ page, rows }, item) {
  if (item.group === undefined) return;
  for (const each of page.items) {
    if (each.group !== item.group) continue;
    if (rows.has(item.row)) rows.add(each.row);
    else rows.delete(each.row);
  }
}

/**
 * @param {Marks} marks
 * @param {number} by places
 */
export function moveFrame(marks, by) {
  const next = marks.frame + by;
  if (next >= 0 && next < marks.page.items.length) marks.frame = next;
}

/** @param {Marks} marks */
export const kept = ({ page, rows }) => page.items.filter((item) => !rows.has(item.row));
