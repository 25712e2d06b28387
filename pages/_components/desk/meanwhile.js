// An image that was answered elsewhere while it was here: both answers are stored, and it is said.
// Nor does one that is taken back here take another window's with it.

import { isFromHere } from "./journal.js";
import { toast } from "./toast.js";
import { oneLine, shortName } from "./words.js";

/**
 * @import { Answer } from "./journal.js"
 * @import { Action } from "./verdicts.js"
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
 *
 * @typedef {Object} LeftStanding an answer upon the one that was taken back here
 * @property {string} cid of the taking back
 * @property {number} row
 * @property {true} you
 * @property {string} before id of the answer that stands
 * @property {number} [given] where it may be told, as the two that follow
 * @property {Said} [first]
 * @property {number} [minutes]
 * @property {{ action: "reopen" }} second
 */

const BLANK = { ms: null, revealed: false, mode: "commit" };
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
  const name = (one) => shortName(classes[one]);
  if (action === "keep") return name(given);
  if (action === "relabel") return name(Number(label));
  if (action === "multiple") return labels.map(name).join(" + ");
  return { none: "none fits", unsure: "unsure", skip: "skip" }[action];
}

/** @param {number} minutes */
const ago = (minutes) =>
  minutes < 2 ? "a moment ago" : minutes < 90 ? `${minutes} minutes ago` : "before";

/**
 * @param {Meanwhile | LeftStanding} each
 * @returns {each is LeftStanding}
 */
const isLeft = (each) => each.second.action === "reopen";

/**
 * @param {string[]} classes
 * @param {LeftStanding} each the last of them
 * @param {number} n how many there are
 */
export function leftWords(classes, { first, given = 0, minutes = 0 }, n) {
  if (n > 1) return `Not taken back: ${n} images were answered in another window, and that stands.`;
  if (!first) return "Not taken back: what you said in another window stands.";
  const said = `you said ${what(classes, given, first)} ${ago(minutes)} in another window`;
  return `Not taken back: ${said}, and that stands.`;
}

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
 * @template {Meanwhile | LeftStanding} T
 * @param {T[]} all
 * @param {string[]} told ids
 */
export const newsOf = (all, told) =>
  all.filter((each) => !told.includes(each.cid) && !(each.you && isFromHere(each.before)));

/**
 * Say what has come in since the last word of the server.
 *
 * @param {Object} desk
 * @param {{ journal: string, classes: string[], meanwhile: (Meanwhile | LeftStanding)[] }} desk.data
 * @param {{ live: HTMLElement, stagecol: HTMLElement }} desk.parts
 * @param {Map<number, Answer>} done the last answer by row: what stands is noted there
 * @returns {number[]} the rows whose answers stand, though others were taken back here
 */
export function tellMeanwhile({ data, parts }, done) {
  const news = newsOf(data.meanwhile, toldBefore(data));
  const last = news.at(-1);
  if (!last) return [];
  noteTold(data);
  const words = isLeft(last)
    ? leftWords(data.classes, last, news.filter(isLeft).length)
    : meanwhileWords(data.classes, last);
  parts.live.textContent = words;
  toast(parts.stagecol, words, isLeft(last) ? "said" : "news", SHOWN);
  const left = news.filter(isLeft).filter(({ row }) => done.get(row)?.back); // else answered anew
  for (const { row, first, before } of left) {
    const stands = { ...BLANK, ...first, row, cid: before };
    if (first) done.set(row, /** @type {Answer} */ (stands));
  }
  return left.map(({ row }) => row);
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

/** @param {{ journal: string, meanwhile: { cid: string }[] }} data */
export function noteTold(data) {
  const cids = data.meanwhile.map((each) => each.cid);
  try {
    sessionStorage.setItem(memoryOf(data), JSON.stringify(cids));
  } catch {
    unstored = cids;
  }
}
