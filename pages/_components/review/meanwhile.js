// An image that was answered elsewhere while it was here: both answers are stored, and it is said.

import { isFromHere } from "../desk/journal.js";
import { toast } from "../desk/toast.js";
import { oneLine, short } from "../desk/words.js";

/**
 * @import { Action } from "../desk/verdicts.js"
 * @import { ReviewDesk } from "./desk.js"
 *
 * @typedef {{ action: Action, label: number | null, labels: number[] }} Said
 * @typedef {Object} Meanwhile
 * @property {string} cid of the answer given here
 * @property {number} row
 * @property {number} given
 * @property {string} by who had answered
 * @property {boolean} you whether that is the same person, in another window
 * @property {string} before id of that answer
 * @property {number} minutes since that answer
 * @property {Said} first
 * @property {Said} second
 */

const SHOWN = 7000; // ms: somebody else's words are read, not glanced at

/** @type {string[]} */
let unstored = []; // told, where the browser's storage is off

/**
 * @param {string[]} classes
 * @param {number} given
 * @param {Said} said
 */
function what(classes, given, { action, label, labels }) {
  /** @param {number} one */
  const name = (one) => short(classes[one], 24);
  if (action === "keep") return name(given);
  if (action === "relabel") return name(Number(label));
  if (action === "multiple") return labels.map(name).join(" + ");
  return { none: "none fits", unsure: "unsure", skip: "skip" }[action];
}

/** @param {number} minutes */
const ago = (minutes) =>
  minutes < 2 ? "a moment ago" : minutes < 90 ? `${minutes} minutes ago` : "before";

/**
 * @param {string[]} classes
 * @param {Meanwhile} each
 */
export function meanwhileWords(classes, each) {
  const first = what(classes, each.given, each.first);
  const second = what(classes, each.given, each.second);
  if (each.you) return `You said ${first} ${ago(each.minutes)} in another window; now: ${second}.`;
  const said = `${oneLine(each.by)} said ${first} ${ago(each.minutes)}`;
  if (first === second) return `${said}, as you do: recorded as second.`;
  return `${said}; yours: ${second}, recorded as second.`;
}

/**
 * What the server says again and again, without what was told. One's own answer that was given in
 * this window, and changed by going back to it, is no news.
 *
 * @param {Meanwhile[]} all
 * @param {string[]} told ids
 */
export const newsOf = (all, told) =>
  all.filter((each) => !told.includes(each.cid) && !(each.you && isFromHere(each.before)));

/**
 * Say what has come in since the last word of the server.
 *
 * @param {ReviewDesk} desk
 */
export function tellMeanwhile({ data, parts }) {
  const last = newsOf(data.meanwhile, toldBefore(data)).at(-1);
  if (!last) return;
  noteTold(data);
  const words = meanwhileWords(data.classes, last);
  parts.live.textContent = words;
  toast(parts.stagecol, words, "news", SHOWN);
}

/** @param {{ journal: string }} data */
const memoryOf = ({ journal }) => `${journal}:told`;

/**
 * @param {{ journal: string }} data
 * @returns {string[]} ids of answers; page mode and back forgets none
 */
export function toldBefore(data) {
  try {
    return JSON.parse(sessionStorage.getItem(memoryOf(data)) ?? "null") ?? unstored;
  } catch {
    return unstored;
  }
}

/** @param {{ journal: string, meanwhile: Meanwhile[] }} data */
export function noteTold(data) {
  const cids = data.meanwhile.map((each) => each.cid);
  try {
    sessionStorage.setItem(memoryOf(data), JSON.stringify(cids));
  } catch {
    unstored = cids;
  }
}
