// Sends what waits: soon after the last press, at the latest a second after the first, again when
// the connection comes back or no answer came.

/**
 * @import { Entry, Journal } from "./journal.js"
 *
 * @typedef {Object} Sync
 * @property {boolean} online
 * @property {((entries: Entry[]) => void) | null} send replaced at every render
 * @property {() => void} flush send now
 * @property {() => void} touch send soon
 * @property {() => void} start
 * @property {() => void} stop
 */

const REST = 150; // ms without a press before answers are sent
const LONGEST = 1000; // ms that an answer waits while presses go on
const OVERDUE = 4000; // ms without a word from the server before answers are sent again
const LOOK = 500; // ms between two looks at the connection

function connected() {
  const app = document.querySelector("[data-test-connection-state]");
  return !app || app.getAttribute("data-test-connection-state") === "CONNECTED";
}

// Streamlit covers the page with a dialog about its command line when the server is gone. Reviewing
// goes on without the server for a while, and this component says what matters, so the dialog is
// closed as a person would close it.
function closeServerDialog() {
  for (const dialog of document.querySelectorAll('[role="dialog"]')) {
    if (!dialog.textContent?.startsWith("Connection error")) continue;
    /** @type {HTMLElement | null} */ (dialog.querySelector('button[aria-label="Close"]'))?.click();
  }
}

/**
 * @param {Journal} journal
 * @param {() => void} changed called when the connection goes or comes
 * @param {Pick<Performance, "now">} [clock]
 * @returns {Sync}
 */
export function openSync(journal, changed, clock = performance) {
  let timer = 0;
  let first = 0; // time of the first press that waits
  let sentAt = 0;
  let watch = 0;

  function flush() {
    clearTimeout(timer);
    timer = first = 0;
    if (!sync.send || !journal.waiting.size) return;
    sentAt = clock.now();
    sync.send([...journal.waiting.values()]);
  }

  function touch() {
    const now = clock.now();
    if (!first) first = now;
    clearTimeout(timer);
    timer = window.setTimeout(flush, Math.max(0, Math.min(REST, first + LONGEST - now)));
  }

  function look() {
    const online = connected();
    if (!online) closeServerDialog();
    const back = online && !sync.online;
    if (online !== sync.online) {
      sync.online = online;
      changed();
    }
    const overdue = journal.waiting.size && !timer && clock.now() - sentAt > OVERDUE;
    if (online && (back || overdue)) flush();
  }

  function start() {
    sync.online = true;
    watch = window.setInterval(look, LOOK);
  }

  function stop() {
    flush();
    clearInterval(watch);
  }

  /** @type {Sync} */
  const sync = { online: true, send: null, flush, touch, start, stop };
  return sync;
}
