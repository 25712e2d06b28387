// No press is lost: every answer is written to this browser first, sent, and kept until the server
// says that it has it. Each answer lies under a key of its own, so two tabs do not overwrite one
// another, and the server stores an answer that arrives twice only once.

/**
 * @import { Action } from "./verdicts.js"
 *
 * @typedef {{ action: Action, label: number | null, labels: number[], cid?: string, before?: Before }} Before
 *
 * @typedef {Object} Answer what a person said of one image
 * @property {number} row
 * @property {Action | "reopen"} action
 * @property {number | null} label of a relabel; -1 where only the name is known here
 * @property {number[]} labels of several classes
 * @property {string[]} [named] what each of `labels` is called, "" where its number stands
 * @property {number | null} ms from the image to the press
 * @property {boolean} revealed whether the suggestion could be seen
 * @property {string} mode
 * @property {number} [position] in the queue
 * @property {boolean} [apart] of an image that came without a class: it is counted apart
 * @property {string} [new_class] name of the class of a relabel, where it was added since the import
 * @property {boolean} [together] whether it goes to the copies of the picture as well
 * @property {number} [others] to how many
 * @property {string} [look] token of the image that was answered
 * @property {Before} [before] the answer whose place it took, or that stands again
 * @property {string} [back] id of what is taken back
 *
 * @typedef {Answer & { cid: string, n: number, at: string }} Entry
 *   an answer with an id of its own, its place among all, and its time
 *
 * @typedef {Object} Journal
 * @property {string} name
 * @property {Map<string, Entry>} waiting by id, in the order of the presses
 * @property {(answer: Answer) => Entry} add
 * @property {(cids: string[]) => void} ack forget what the server has
 *
 * @typedef {Pick<Storage, "length" | "key" | "getItem" | "setItem" | "removeItem">} Store
 */

/** @returns {string} */
function freshId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // plain http in a network
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const WINDOW = "lnl:window";
const HERE = Symbol.for(WINDOW); // single and page mode are two scripts of one document

/** @type {{ [HERE]?: string }} */
const here = /** @type {any} */ (globalThis);

/**
 * What the ids of this window's answers begin with, also after a reload, and after page mode and
 * back. A window that is made of another one begins with what that one keeps, but has its own id.
 *
 * @returns {string}
 */
function windowId() {
  here[HERE] ??= (isOurs() && keptId()) || newId();
  return here[HERE];
}

/**
 * Whether what is kept is of a document that this one stands in the place of: where there are locks
 * they tell a copy of a living window, else the way in which this one was loaded.
 */
const isOurs = () =>
  Boolean(globalThis.navigator?.locks) ||
  performance
    .getEntriesByType("navigation")
    .some((each) => ["reload", "back_forward"].includes(/** @type {any} */ (each).type));

/** @returns {string | null} */
function keptId() {
  try {
    return sessionStorage.getItem(WINDOW);
  } catch {
    return null; // the storage is off: a reload makes another window of it
  }
}

function newId() {
  const id = freshId().slice(0, 8);
  tolerate(() => sessionStorage.setItem(WINDOW, id));
  return id;
}

/**
 * An id that another living window holds is not this one's. It is held as long as the document
 * lives; plain http has no such locks.
 */
function holdId() {
  const name = `${WINDOW}:${windowId()}`;
  /** @param {Lock | null} lock */
  const held = async (lock) => {
    if (lock) await new Promise(() => {});
    here[HERE] = newId();
    holdId();
  };
  navigator.locks.request(name, { ifAvailable: true }, held).catch(() => {});
}

if (!here[HERE] && globalThis.navigator?.locks) holdId();

/**
 * Whether an answer was given in this window.
 *
 * @param {string} cid
 */
export const isFromHere = (cid) => cid.startsWith(`${windowId()}.`);

/** @returns {Store | null} null where storage is off: answers wait in memory */
function browserStore() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

/**
 * @param {() => void} work with the storage, which may be full or off
 */
function tolerate(work) {
  try {
    work();
  } catch {
    // answers wait in memory
  }
}

/**
 * @param {string} text
 * @returns {any} null where it is no JSON
 */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * @param {Store} store
 * @param {string} name
 * @returns {Entry[]} what an earlier page left behind, in the order of the presses
 */
function leftBehind(store, name) {
  const found = [];
  for (let i = 0; i < store.length; i += 1) {
    const key = store.key(i);
    if (!key?.startsWith(`${name}:`)) continue;
    const entry = parsed(store.getItem(key) ?? "null");
    if (typeof entry?.cid === "string" && `${name}:${entry.cid}` === key) found.push(entry);
  }
  return found.sort((a, b) => (a.n || 0) - (b.n || 0));
}

/**
 * @param {string} name of data set and reviewer
 * @param {Store | null} [store]
 * @returns {Journal}
 */
export function openJournal(name, store = browserStore()) {
  /** @type {Map<string, Entry>} */
  const waiting = new Map();
  let last = 0;
  tolerate(() => {
    for (const entry of store ? leftBehind(store, name) : []) {
      waiting.set(entry.cid, entry);
      last = Math.max(last, entry.n || 0);
    }
  });
  return {
    name,
    waiting,
    add(answer) {
      last = Math.max(last + 1, Date.now()); // keeps the order over reloads
      const entry = {
        ...answer,
        cid: `${windowId()}.${freshId()}`,
        n: last,
        at: new Date().toISOString(),
      };
      waiting.set(entry.cid, entry);
      tolerate(() => store?.setItem(`${name}:${entry.cid}`, JSON.stringify(entry)));
      return entry;
    },
    ack(cids) {
      for (const cid of cids) {
        if (waiting.delete(cid)) tolerate(() => store?.removeItem(`${name}:${cid}`));
      }
    },
  };
}
