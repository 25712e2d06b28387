// The page that was committed last, with the ids of what was said of its images: of those that were
// kept, and, one by one after it, of those that were marked. A tab keeps it over a reload.

/**
 * @import { Page } from "../page/marks.js"
 *
 * @typedef {{ page: Page, marked: number[], cids: Record<number, string> }} LastPage ids by row
 */

/** @param {string} journal */
const keyOf = (journal) => `${journal}:lastpage`;

/**
 * @param {string} journal
 * @param {LastPage | null} last
 * @returns {boolean} whether the browser keeps it
 */
export function keepPage(journal, last) {
  try {
    sessionStorage.removeItem(keyOf(journal)); // an earlier page is not the last one
    if (last) sessionStorage.setItem(keyOf(journal), JSON.stringify(last));
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {string} journal
 * @returns {LastPage | null}
 */
export function keptPage(journal) {
  try {
    const last = JSON.parse(sessionStorage.getItem(keyOf(journal)) ?? "null");
    return last?.page && last.cids ? last : null;
  } catch {
    return null;
  }
}

/**
 * Note an answer to an image that was marked on the page.
 *
 * @param {string} journal
 * @param {number} row
 * @param {string} cid
 */
export function noteFollowUp(journal, row, cid) {
  const last = keptPage(journal);
  if (last?.marked.includes(row))
    keepPage(journal, { ...last, cids: { ...last.cids, [row]: cid } });
}
