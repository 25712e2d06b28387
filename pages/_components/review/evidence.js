// Evidence and maps, fetched only after an answer, on request, or where the mode shows everything.

import { at } from "../desk/pictures.js";
import { showsEvidence } from "./desk.js";

/**
 * @import { Item } from "../desk/progress.js"
 * @import { ReviewDesk } from "./desk.js"
 *
 * @typedef {{ label: number, prob: number, said: string }} Option a class other than the given one,
 *   its share of the case that the label is wrong, and that in words
 * @typedef {Object} Opinion what one method says
 * @property {string} key
 * @property {string} title
 * @property {number | null} suspicion in [0, 1]; null where it was told
 * @property {number | null} label its own choice
 * @property {boolean} wrong whether it expects another class
 * @property {boolean} [told] whether it learned from people's answer, and so has no opinion
 *
 * @typedef {Object} Curve probabilities by epoch
 * @property {string} key of the ranking's run
 * @property {string} source its title
 * @property {number[]} given
 * @property {number[]} suggested
 * @property {[string, string]} ends the last values of both, in words
 * @property {boolean} other whether `suggested` is of the best other class at each epoch
 *
 * @typedef {Object} Found
 * @property {number} row
 * @property {number | null} p_wrong null where no run has seen the image yet, or one was told
 * @property {boolean} [told] whether a method behind it learned from people's answer
 * @property {Option[]} top most probable first
 * @property {Opinion[]} methods
 * @property {Curve[]} curves of every run that has one
 * @property {{ values: number[], source: string } | null} loss by epoch
 * @property {{ row: number, label: number }[]} neighbours
 * @property {{ row: number, label: number, id: string }[]} [copies] others of the same picture
 * @property {number} [copies_total] of which `copies` are the first
 * @property {{ label: number, count: number }[]} [copies_labels] of all of the picture's
 * @property {number} [copies_corrected] how many of the others people have relabelled
 * @property {number[]} [listed] the classes that the image came with, where they are several
 * @property {number[]} exemplars_given
 * @property {number[]} exemplars_suggested
 * @property {Record<string, string>} said a sentence on each of these rows
 *
 * @typedef {{ u: number, v: number, values: number[] }} CellMap rows, columns, values row by row
 * @typedef {{ value: number, words: string, above: string }} MapNumber
 * @typedef {Object} ReadyMaps
 * @property {"ready"} state
 * @property {[CellMap, CellMap]} maps of the given and of the other class
 * @property {number} given
 * @property {number} other
 * @property {[string, string] | null} shares of both classes in the evidence, in words
 * @property {boolean} common whether shares can be said
 * @property {MapNumber[]} numbers
 * @property {string} words
 *
 * @typedef {ReadyMaps | { state: "making" } | { state: "none" }
 *   | { state: "failed", words: string } | { state: "hidden", words: string }} MapsAnswer
 * @typedef {{ key: string, title: string, good: boolean, grade: string }} MapSource
 * @typedef {{ asked: string, sources?: MapSource[], source?: string, grade?: string }} Asked
 * @typedef {MapsAnswer & Asked} Maps
 *
 * @typedef {{ state: "loading" } | { state: "failed" }
 *   | { state: "ready", found: Found, maps: Maps | null }} Known
 */

const KEPT = 60; // rows
const ANSWER_WAIT = 30_000; // ms until a question counts as unanswered
const MAP_WAIT = 500; // ms between two questions while the worker draws

/** @type {MapsAnswer} */
const NO_MAPS = { state: "failed", words: "The maps cannot be loaded now." };

/**
 * @param {string} url
 * @returns {Promise<any>} null where no answer comes
 */
async function asked(url) {
  try {
    const answer = await fetch(url, {
      credentials: "same-origin",
      cache: "no-store",
      priority: "high", // before thumbnails that are fetched ahead
      signal: AbortSignal.timeout(ANSWER_WAIT),
    });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/**
 * @param {ReviewDesk} desk
 * @param {number} row
 * @param {() => void} changed called when evidence has come that the panel shows
 */
export async function needEvidence(desk, row, changed) {
  const store = desk.evidence;
  const known = store.get(row);
  if (known && known.state !== "failed") return;
  store.set(row, { state: "loading" });
  const found = await asked(at(desk.data.urls.evidence, row));
  store.set(row, found ? { state: "ready", found, maps: null } : { state: "failed" });
  if (store.size > KEPT) store.delete(/** @type {number} */ (store.keys().next().value));
  if (isHere(desk, row, store) && showsEvidence(desk)) changed();
}

/**
 * Note that the advice on an image was shown. What the server says of it from now on may be owed to
 * this: whether it was before as well stays as it was.
 *
 * @param {Pick<ReviewDesk, "advised">} desk
 * @param {Pick<Item, "row" | "advised">} item
 */
export function noteSeen({ advised }, { row, advised: before }) {
  if (!advised.has(row)) advised.set(row, Boolean(before));
}

/**
 * Note that the advice on an image is shown, and tell the server: a reload forgets nothing.
 *
 * @param {ReviewDesk} desk
 * @param {Item} item
 */
export function noteAdvised({ advised, data }, item) {
  const { row } = item;
  const known = item.advised || advised.has(row);
  noteSeen({ advised }, item);
  if (known) return;
  const what = { method: "POST", body: data.reviewer, keepalive: true };
  fetch(at(data.urls.advised, row), { ...what, credentials: "same-origin" }).catch(() => {});
}

/**
 * Ask for the present image's maps, again and again while they are drawn.
 *
 * @param {ReviewDesk} desk
 * @param {() => void} changed called when maps have come that the panel shows
 */
export async function needMaps(desk, changed) {
  const row = desk.queue.item?.row;
  const { mapSource: source, mapsAnyway: anyway } = desk.look;
  const asks = `${source} ${anyway}`;
  const store = desk.evidence;
  const known = row === undefined ? undefined : store.get(row);
  if (row === undefined || known?.state !== "ready" || known.maps?.asked === asks) return;
  known.maps = { asked: asks, state: "making" };
  const label = String(known.found.top[0]?.label ?? "");
  const query = { label, source, ...(anyway ? { anyway: "1" } : {}) };
  const url = `${at(desk.data.urls.maps, row)}?${new URLSearchParams(query)}`;
  for (;;) {
    /** @type {MapsAnswer} */
    const answer = (await asked(url)) ?? NO_MAPS;
    if (known.maps?.asked !== asks) return; // another source was asked for since
    const here = isHere(desk, row, store);
    if (answer.state !== "making" || !here) {
      // left while it was drawn: asked for again when the image is back
      known.maps = answer.state === "making" ? null : { ...answer, asked: asks };
      if (here && showsEvidence(desk)) changed();
      return;
    }
    await new Promise((done) => setTimeout(done, MAP_WAIT));
  }
}

/**
 * @param {ReviewDesk} desk
 * @param {number} row
 * @param {Map<number, Known>} store
 */
const isHere = (desk, row, store) => desk.queue.item?.row === row && desk.evidence === store;

/**
 * The present image's maps, or how far they are.
 *
 * @param {ReviewDesk} desk
 * @returns {Maps | null}
 */
export function mapsHere({ queue, evidence }) {
  const known = queue.item && evidence.get(queue.item.row);
  return known?.state === "ready" ? known.maps : null;
}
