// Which image this tab shows: it stays over a reload, a change of mode, and page mode and back.

/**
 * @import { ReviewDesk } from "./desk.js"
 *
 * @typedef {{ row: number, narrow: string }} Here the row, and the filters that it was shown under
 */

/** @param {{ journal: string }} data */
const memoryOf = ({ journal }) => `${journal}:here`;

/**
 * @param {Pick<ReviewDesk, "data" | "queue">} desk
 */
export function noteHere({ data, queue }) {
  try {
    if (!queue.item) sessionStorage.removeItem(memoryOf(data));
    else {
      const here = { row: queue.item.row, narrow: data.narrow };
      sessionStorage.setItem(memoryOf(data), JSON.stringify(here));
    }
  } catch {
    // the storage is off: a reload begins with the queue
  }
}

/**
 * The row that this tab showed last, under the same filters; nothing where the page asks for
 * certain images.
 *
 * @param {Pick<ReviewDesk, "data">} desk
 * @returns {number | null}
 */
export function hereBefore({ data }) {
  if (data.focus.length || data.marked.length) return null;
  try {
    /** @type {Here | null} */
    const here = JSON.parse(sessionStorage.getItem(memoryOf(data)) ?? "null");
    return here && here.narrow === data.narrow && Number.isInteger(here.row) ? here.row : null;
  } catch {
    return null;
  }
}
