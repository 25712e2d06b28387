// The answers on their way to the server, and the words that say so.

import { icon } from "./icons.js";
import { openJournal } from "./journal.js";
import { h } from "./nodes.js";
import { openSync } from "./sync.js";
import { count } from "./words.js";

/**
 * @import { IconName } from "./icons.js"
 * @import { Answer, Entry, Journal } from "./journal.js"
 * @import { Sync } from "./sync.js"
 *
 * @typedef {Object} Outbox
 * @property {Journal} journal
 * @property {Sync} sync
 * @property {HTMLElement} saved the words, which the panel places
 * @property {HTMLElement} live for the ear
 * @property {string} words that are shown now
 * @property {number} speaking timer
 */

const SETTLED = 1200; // ms before the words are spoken

/**
 * @param {string} name of the journal
 * @param {HTMLElement} live
 * @returns {Outbox}
 */
export function openOutbox(name, live) {
  const journal = openJournal(name);
  const saved = h("span", { class: "saved" });
  /** @type {Outbox} */
  const outbox = {
    journal,
    sync: openSync(journal, () => drawSaved(outbox)),
    saved,
    live,
    words: "",
    speaking: 0,
  };
  return outbox;
}

/**
 * Begin to send; also what an earlier page left behind.
 *
 * @param {Outbox} outbox
 */
export function startOutbox({ journal, sync }) {
  sync.start();
  if (journal.waiting.size) sync.touch();
}

/**
 * Take what the server says: it has some answers, or it speaks of another set or reviewer.
 *
 * @param {Outbox} outbox
 * @param {{ journal: string, acked: string[] }} data
 * @param {(entries: Entry[]) => void} send
 * @returns {boolean} whether another journal was opened
 */
export function receiveAcks(outbox, data, send) {
  const other = outbox.journal.name !== data.journal;
  if (other) {
    outbox.sync.stop();
    outbox.journal = openJournal(data.journal);
    outbox.sync = openSync(outbox.journal, () => drawSaved(outbox));
    startOutbox(outbox);
  }
  outbox.sync.send = send;
  outbox.journal.ack(data.acked);
  return other;
}

/**
 * @param {Outbox} outbox
 * @param {Answer} answer
 */
export function post(outbox, answer) {
  const entry = outbox.journal.add(answer);
  outbox.sync.touch();
  return entry;
}

/** @param {Outbox} outbox */
export const waitingIn = (outbox) => [...outbox.journal.waiting.values()];

/**
 * @param {number} waiting answers
 * @param {boolean} online
 * @returns {[IconName, string]}
 */
export function savedWords(waiting, online) {
  if (!online) {
    return ["offline", "Connection lost. Your answers are kept here and sent later."];
  }
  if (!waiting) return ["done", "All answers saved"];
  const words = waiting === 1 ? "1 answer on its way" : `${count(waiting)} answers on their way`;
  return ["waiting", words];
}

/** @param {Outbox} outbox */
export function drawSaved(outbox) {
  const [name, words] = savedWords(outbox.journal.waiting.size, outbox.sync.online);
  if (words === outbox.words) return;
  outbox.words = words;
  outbox.saved.replaceChildren(icon(name, 16), words);
  outbox.saved.className = `saved ${name}`;
  clearTimeout(outbox.speaking);
  outbox.speaking = window.setTimeout(() => {
    outbox.live.textContent = words;
  }, SETTLED);
}
