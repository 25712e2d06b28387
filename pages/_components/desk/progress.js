// The server's word on progress, moved on by the answers that it has not seen yet.

/**
 * @import { Course } from "./course.js"
 * @import { Answer, Entry } from "./journal.js"
 * @import { Action } from "./verdicts.js"
 *
 * @typedef {Object} ErrorsLeft what the images drawn at random say
 * @property {number} audits random checks: drawn images with an answer
 * @property {number} since those that chose from the set as it is
 * @property {number} enough checks before there is an estimate
 * @property {number | null} estimate
 * @property {number} high of the 95 % interval
 * @property {number | null} limit at most so many are left, once that can be said
 * @property {number} goal
 * @property {number} total images of the set
 * @property {boolean} may_stop
 * @property {string} [supposes] what the limit takes for granted, where more than one person answers
 * @property {string} [waits] what keeps the goal away and only people can mend
 *
 * @typedef {Object} Goal what the review is to reach
 * @property {number} number 1 for the first that was set, 0 where nobody set one
 * @property {"left" | "recall" | "reviews" | "seconds"} kind
 * @property {string} words after "Review"
 * @property {boolean} holds
 * @property {string} takes what it takes from here
 * @property {string} said how far it is
 * @property {string} reached what may be said once it holds
 * @property {boolean} [all] whether looking at every image is about as short
 *
 * @typedef {Object} Progress
 * @property {number} reviewed images, at the moment as of which all numbers here are
 * @property {number} since this person's answers since then
 * @property {number} wrong_since how many of these call a label wrong
 * @property {number} expected those and the reviews to the goal
 * @property {number | null} [guess] wrong labels left by the scores alone
 * @property {string | null} [guess_said] what the guess rests on
 * @property {Course | null} [course] how the guarantee fell and is expected to go on
 * @property {number} wrong
 * @property {number | null} seconds_per_image
 * @property {ErrorsLeft} errors_left
 * @property {Goal} goal
 *
 * @typedef {Object} Said an answer given before
 * @property {string} [by] who gave it, where it was somebody else
 * @property {Action} [action] none where it is not to be told
 * @property {number | null} [label]
 * @property {number[]} [labels]
 * @property {string} [cid] of an own one
 *
 * @typedef {Object} Item an image of the queue, without anything that a model thinks of it
 * @property {number} row
 * @property {number} given
 * @property {string} path
 * @property {string} [split] that the image came in
 * @property {number} w px
 * @property {number} h px
 * @property {number} [position] in the queue
 * @property {boolean} [no_class] whether its label says that nobody labelled it
 * @property {number} [group] row of the first copy of its picture
 * @property {number[]} [copies] rows of other copies, those without an answer first
 * @property {number} [copies_total] how many there are
 * @property {number} [copies_open] how many of them have no answer
 * @property {boolean} [blind] whether its label is hidden: `given` is -1, and the answer is a class
 * @property {boolean} [unscored] whether it was added after the last run
 * @property {boolean} [advised] whether its evidence was shown before, in whatever window
 * @property {Said} [said] the answer that it had when it came, under a filter or by a link
 * @property {string} [look] a token that goes back with the answer
 *
 * @typedef {Item & Answer & { cid?: string, n?: number, at?: string }} Answered
 *   an image with the answer that stands
 */

/** @param {Answer | undefined} answer */
const isReview = (answer) =>
  Boolean(answer && answer.action !== "skip" && answer.action !== "reopen");

/**
 * What an entry leaves behind: itself; of one that takes back, the answer that stands again.
 *
 * @template {Answer} T
 * @param {T} entry
 * @returns {T}
 */
export const standing = (entry) =>
  entry.action === "reopen" && entry.before
    ? { ...entry, cid: undefined, before: undefined, ...entry.before }
    : entry;

/**
 * What is true of each row once everything has arrived: what its last entry leaves.
 *
 * @template {Answer} T
 * @param {Iterable<T>} entries in the order of the presses
 * @returns {Map<number, T>}
 */
export function lastByRow(entries) {
  const found = new Map();
  for (const entry of entries) found.set(entry.row, standing(entry));
  return found;
}

/**
 * The numbers of the last moment, which no answer moves, and the answers since.
 *
 * @param {Progress} progress as the server counts
 * @param {Answered[]} recent what it counts, newest first
 * @param {Entry[]} entries what it has not seen, in the order of the presses
 * @returns {Progress}
 */
export function progressNow(progress, recent, entries) {
  const known = lastByRow([...recent].reverse());
  let { since, wrong_since } = progress;
  for (const [row, entry] of lastByRow(entries)) {
    if (entry.apart) continue;
    since += Number(isReview(entry)) - Number(isReview(known.get(row)));
    if (entry.mode !== "blind") wrong_since += settled(entry) - settled(known.get(row));
  }
  return { ...progress, since: Math.max(0, since), wrong_since: Math.max(0, wrong_since) };
}

const SETTLES = new Set(["relabel", "multiple", "none"]);

/** @param {Answer | undefined} answer */
const settled = (answer) => Number(Boolean(answer && SETTLES.has(answer.action)));

/**
 * How many of the images without a class have got an answer that settles them.
 *
 * @param {{ total: number, done: number }} toLabel as the server counts
 * @param {Answered[]} recent what it counts, newest first
 * @param {Entry[]} entries what it has not seen, in the order of the presses
 */
export function labelledNow(toLabel, recent, entries) {
  const known = lastByRow([...recent].reverse());
  let { done } = toLabel;
  for (const [row, entry] of lastByRow(entries)) {
    if (entry.apart) done += settled(entry) - settled(known.get(row));
  }
  return Math.min(toLabel.total, Math.max(0, done));
}

/**
 * The last answers that stand, newest first: what waits here on top of what the server has.
 *
 * @param {Answered[]} recent newest first
 * @param {Entry[]} entries in the order of the presses
 * @param {(row: number) => Item | undefined} itemOf
 * @returns {Answered[]}
 */
export function answersNow(recent, entries, itemOf) {
  const seen = new Set();
  const answers = [];
  for (const entry of [...entries].reverse().map(standing)) {
    if (seen.has(entry.row)) continue;
    seen.add(entry.row);
    const item = itemOf(entry.row);
    if (entry.action !== "reopen" && item) answers.push({ ...item, ...entry });
  }
  for (const answer of recent) if (!seen.has(answer.row)) answers.push(answer);
  return answers;
}
