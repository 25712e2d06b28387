// An image that was answered elsewhere while it was here: both answers are stored, and it is said.

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
 * Say what has come in since the last word of the server. One's own answer that was given in this
 * window, and changed by going back to it, is no news.
 *
 * @param {ReviewDesk} desk
 */
export function tellMeanwhile(desk) {
  const { session, data } = desk;
  const news = data.meanwhile.filter(
    (each) => !session.told.has(each.cid) && !(each.you && session.known.has(each.before)),
  );
  for (const { cid } of data.meanwhile) session.told.add(cid);
  const last = news.at(-1);
  if (!last) return;
  const words = meanwhileWords(data.classes, last);
  desk.parts.live.textContent = words;
  toast(desk.parts.stagecol, words, "news", SHOWN);
}
