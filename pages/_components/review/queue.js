// The place in the queue. The browser owns it; the server says what comes next.

import { lastByRow } from "../desk/progress.js";

/**
 * @import { Answer, Before } from "../desk/journal.js"
 * @import { Outbox } from "../desk/outbox.js"
 * @import { Answered, Item } from "../desk/progress.js"
 *
 * @typedef {Object} Queue
 * @property {Item[]} list what was seen, and what comes
 * @property {number} at where the present one is; behind the list at its end
 * @property {Item | null} item the present one
 * @property {Map<number, Answer>} done the last answer by row
 * @property {Set<number>} left rows passed by whose answer was left as it was
 */

const FEW = 5; // images ahead, with fewer of them it is time for more
const KEPT_BACK = 300; // items behind the present one that the arrows can reach

/**
 * @param {Iterable<Answer>} entries answers that the server may not know yet
 * @param {Iterable<number>} [left] rows that were left as they were before
 * @returns {Queue}
 */
export const openQueue = (entries, left = []) => ({
  list: [],
  at: 0,
  item: null,
  done: lastByRow(entries),
  left: new Set(left),
});

/**
 * @param {Pick<Queue, "done">} queue
 * @param {number} row
 */
export function isAnswered({ done }, row) {
  const answer = done.get(row);
  return answer !== undefined && answer.action !== "reopen";
}

/**
 * Whether an image is still to be shown: neither answered nor left as it was.
 *
 * @param {Pick<Queue, "done" | "left">} queue
 * @param {number} row
 */
const isOpen = (queue, row) => !isAnswered(queue, row) && !queue.left.has(row);

/**
 * What was seen stays where it is; what comes is what the server says now. An image that was
 * answered here comes anew, and nothing of the first time is left, where it comes under another
 * token, or without the answer that the server has got: it was taken back elsewhere.
 *
 * @param {Queue} queue
 * @param {Item[]} items
 * @param {Pick<Map<string, unknown>, "has">} waiting ids of the answers that the server may not have
 * @returns {number[]} the rows that come anew
 */
export function receiveItems(queue, items, waiting) {
  const again = items.filter((item) => comesAnew(queue, item, waiting)).map((item) => item.row);
  for (const row of again) forget(queue, row);
  const seen = queue.list.slice(0, queue.at + (queue.item ? 1 : 0));
  const rows = new Set(seen.map((item) => item.row));
  const open = items.filter((item) => isOpen(queue, item.row));
  const unseen = open.filter((item) => !rows.has(item.row));
  const passed = open.filter((item) => item.row !== queue.item?.row); // seen, and left open
  queue.list = [...seen, ...(unseen.length ? unseen : passed)];
  return again;
}

/**
 * @param {Queue} queue
 * @param {Item} item
 * @param {Pick<Map<string, unknown>, "has">} waiting
 */
function comesAnew(queue, { row, look, said }, waiting) {
  if (row === queue.item?.row || !isAnswered(queue, row)) return false;
  const answer = /** @type {Answer & { cid?: string }} */ (queue.done.get(row));
  const { look: before, cid, action } = answer;
  if (before && look !== before) return true;
  return Boolean(cid && !waiting.has(cid) && !said) && action !== "skip"; // a skip answers nothing
}

/**
 * @param {Queue} queue
 * @param {number} row
 */
function forget(queue, row) {
  queue.done.delete(row);
  const place = placeOf(queue, row);
  if (place < 0) return;
  queue.list.splice(place, 1);
  if (place < queue.at) queue.at -= 1;
}

/**
 * Go to a place; outside the list is its end.
 *
 * @param {Queue} queue
 * @param {number} index
 */
export function moveTo(queue, index) {
  let at = index;
  if (queue.list.length > 2 * KEPT_BACK && at > KEPT_BACK) {
    queue.list.splice(0, at - KEPT_BACK);
    at = KEPT_BACK;
  }
  queue.item = queue.list[at] ?? null;
  queue.at = queue.item ? at : queue.list.length;
}

/**
 * @param {Queue} queue
 * @param {number} from
 * @returns {number} the first open place at or behind `from`, else -1
 */
export const nextOpen = (queue, from) =>
  queue.list.findIndex((item, i) => i >= from && isOpen(queue, item.row));

/**
 * Whether the server may have more, where no image is here.
 *
 * @param {{ queue: Queue, outbox: Outbox, data: { items: Item[], left: number[] } }} desk
 */
export const isComing = ({ queue, outbox, data }) =>
  outbox.journal.waiting.size > 0 ||
  data.items.some((item) => isOpen(queue, item.row)) ||
  [...queue.left].some((row) => !data.left.includes(row));

/**
 * Whether the server is to know what was left as it was, so that it sends others in time.
 *
 * @param {Queue} queue
 */
export const runsOut = (queue) => ahead(queue, FEW).length < FEW;

/**
 * @param {Queue} queue
 * @param {number} row
 */
export const placeOf = (queue, row) => queue.list.findIndex((item) => item.row === row);

/**
 * @param {Queue} queue
 * @param {number} n
 * @returns {Item[]} the open ones that come next
 */
export const ahead = (queue, n) =>
  queue.list
    .slice(queue.at + (queue.item ? 1 : 0))
    .filter((item) => isOpen(queue, item.row))
    .slice(0, n);

/**
 * What a person had answered before an image is answered again.
 *
 * @param {Item} item
 * @param {Answer | undefined} done the last answer here
 * @param {Answered[]} last answers that stand
 * @returns {Before | undefined}
 */
export function stoodBefore(item, done, last) {
  if (done?.action === "reopen") return undefined;
  const own = item.said && !item.said.by ? item.said : undefined;
  const known = last.find((each) => each.row === item.row && each.look === item.look);
  const {
    action,
    label = null,
    labels = [],
    cid,
    before,
  } = /** @type {Partial<Answered>} */ (done ?? known ?? own ?? {});
  if (!action || action === "reopen") return undefined;
  return { action, label, labels, ...(cid ? { cid } : {}), ...(before ? { before } : {}) };
}

/**
 * The image of an answer, without the answer.
 *
 * @param {Answered} answered
 * @returns {Item}
 */
export function itemOf(answered) {
  const { action, label, labels, cid, n, at, ms, mode, revealed, apart, ...rest } = answered;
  const { together, others, before, back, ...item } = rest;
  return item;
}
