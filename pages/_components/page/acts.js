// What a person does on a page. Committing keeps what is not marked; the marked follow one by one.

import { forCopies, noteAnswer } from "../desk/copies.js";
import { openKeys, toggleKeys } from "../desk/keys.js";
import { keepPage, keptPage } from "../desk/lastpage.js";
import { drawSaved, post } from "../desk/outbox.js";
import { counts, watch } from "../desk/seen.js";
import { drawStrip } from "../desk/strip.js";
import { refuseIn, toast } from "../desk/toast.js";
import { plural } from "../desk/words.js";
import { drawPage } from "./draw.js";
import { enlarge, shrink } from "./large.js";
import {
  COLUMNS,
  awaitNext,
  firstOpen,
  kept,
  moveFrame,
  openMarks,
  toggle,
  toggleCopies,
} from "./marks.js";

/**
 * @import { KeyRow } from "../desk/keys.js"
 * @import { Item } from "../desk/progress.js"
 * @import { Entry } from "../desk/journal.js"
 * @import { LastPage } from "../desk/lastpage.js"
 * @import { PageDesk } from "./desk.js"
 * @import { Marks, Page } from "./marks.js"
 *
 * @typedef {ReturnType<typeof actsOf>} Acts
 */

const TOO_SOON = "the page had only just come";
/** What the page notes, and does not send, of an image whose earlier answer stands. */
const AS_IT_WAS = { label: null, labels: [], ms: null, revealed: false, mode: "page" };
const BROKEN = "none of these images can be loaded; they are asked for again";

/**
 * @param {PageDesk} desk
 * @returns {KeyRow[]}
 */
function keyRows({ layout: { tiles, acts } }) {
  const [one, two, three] = [0, 1, 2].map((row) =>
    tiles.slice(row * COLUMNS, (row + 1) * COLUMNS).join(" "),
  );
  return [
    [[one], "mark the image at that place"],
    [[two], "the second row"],
    [[three], "the third row"],
    [["Space"], "mark the framed image"],
    [["Enter"], "commit the page"],
    [[acts.H], "hold for a larger view"],
    [["⌫"], "last page back, what was answered before stands again; also Ctrl Z"],
    [["← ↑ ↓ →"], "move the frame"],
    [[acts.T], "one answer for all copies on this page, or for each image"],
    [[acts.G], "one image at a time"],
    [[acts.L], "what was skipped or is unsure"],
    [["?"], "this list"],
  ];
}

/**
 * The acts of one desk, for its buttons and keys.
 *
 * @param {PageDesk} desk
 */
export const actsOf = (desk) => ({
  /** @param {number} index */
  mark: (index) => {
    const item = desk.marks?.page.items[index];
    if (!desk.marks || !item) {
      refuse(desk, noImage(desk));
      return;
    }
    toggle(desk.marks, index);
    if (desk.marks.together) toggleCopies(desk.marks, item);
    redraw(desk);
  },
  /** @param {number} by */
  move: (by) => {
    if (!desk.marks) return;
    moveFrame(desk.marks, by);
    redraw(desk);
  },
  commit: () => {
    if (desk.marks?.page.items.length) commit(desk, desk.marks);
    else refuse(desk, noImage(desk));
  },
  pageBack: () => pageBack(desk),
  toggleTogether: () => {
    const { marks } = desk;
    if (!marks) return;
    marks.together = !marks.together;
    const marked = marks.page.items.filter((item) => marks.rows.has(item.row));
    if (marks.together) for (const item of marked) toggleCopies(marks, item);
    redraw(desk);
  },
  enlarge: () => enlarge(desk),
  shrink: () => shrink(desk),
  /** @param {string} reason */
  refuse: (reason) => refuse(desk, reason),
  toggleKeys: () => toggleKeys(desk.parts.root, () => keyRows(desk)),
});

/**
 * @param {PageDesk} desk
 * @param {Marks | null} marks
 */
function show(desk, marks) {
  desk.marks = marks;
  redraw(desk);
}

/**
 * Draw the page; a picture that could not be loaded is asked for again.
 *
 * @param {PageDesk} desk
 */
export async function redraw(desk) {
  const { marks, parts } = desk;
  drawPage(desk);
  const pictures = [...parts.tiles.querySelectorAll("img")];
  if (!marks || marks.seenAt !== null || !pictures.length) return;
  const name = String(marks.page.items[0].row);
  const isHere = () => desk.marks === marks;
  marks.broken = !(await watch(marks, pictures, parts.tiles, name, isHere));
}

/** @param {PageDesk["parts"]} parts */
const placeOf = ({ root, stagecol }) => openKeys(root) ?? stagecol;

/**
 * @param {PageDesk} desk
 * @param {string} words
 */
function say({ parts }, words) {
  parts.live.textContent = words;
  toast(placeOf(parts), words);
}

/**
 * Do nothing at a press, and say why.
 *
 * @param {PageDesk} desk
 * @param {string} reason
 */
function refuse({ parts }, reason) {
  parts.live.textContent = refuseIn(placeOf(parts), reason);
}

/**
 * Why nothing can be done to the images: the next page is awaited, or there is no image there.
 *
 * @param {PageDesk} desk
 */
const noImage = ({ marks }) =>
  marks?.stale ? "the next page is still coming" : "no image is at that place";

/**
 * Show the first page of the server's that has an open image.
 *
 * @param {PageDesk} desk
 */
export function offer(desk) {
  const page = firstOpen(desk.data.pages, desk.done);
  show(desk, page && openMarks(page, []));
}

/**
 * Leave what was answered in another window out of the page that came back: nothing replaces it.
 *
 * @param {PageDesk} desk
 * @param {number[]} rows
 */
export function leaveOut(desk, rows) {
  const { marks } = desk;
  const items = marks?.page.items.filter(({ row }) => !rows.includes(row)) ?? [];
  if (!marks || items.length === marks.page.items.length) return;
  const marked = [...marks.rows].filter((row) => !rows.includes(row));
  if (items.length) show(desk, openMarks({ ...marks.page, items }, marked));
  else offer(desk);
}

/** @param {PageDesk} desk */
export function drawAround(desk) {
  drawStrip(desk);
  drawSaved(desk.outbox);
}

/**
 * @param {PageDesk} desk
 * @param {Item} item
 * @param {"keep" | "skip" | "reopen"} action
 * @param {number | null} ms
 * @param {string} [back] id of what is taken back
 */
function record({ outbox, done, marks, data }, item, action, ms, back) {
  const { row, position, advised } = item;
  const revealed = data.advised || Boolean(advised);
  const blank = { label: null, labels: [], revealed, mode: "page" };
  const copies = action === "keep" ? forCopies(item, marks?.together === true) : {};
  const more = { ...blank, ...copies, ...(back ? { back } : {}) };
  noteAnswer(done, item, post(outbox, { row, action, ms, position, ...more }));
}

/**
 * @param {PageDesk} desk
 * @param {number} row
 */
const done = (desk, row) => (desk.done.get(row)?.action ?? "reopen") !== "reopen";

/**
 * @param {PageDesk} desk
 * @param {Marks} marks
 */
function commit(desk, marks) {
  const { page } = marks;
  const now = desk.pressedAt;
  if (!counts(marks, now)) {
    if (marks.broken) redraw(desk);
    refuse(desk, marks.broken ? BROKEN : TOO_SOON);
    return;
  }
  const each = Math.round((now - Number(marks.seenAt)) / page.items.length);
  const missing = notLoaded(desk, marks);
  const keeps = kept(marks).filter((item) => !missing.includes(item));
  for (const item of keeps) {
    if (!done(desk, item.row)) record(desk, item, "keep", each); // else with a copy before it
  }
  const left = missing.filter(isAnsweredByOneself);
  for (const { row } of left) desk.done.set(row, { ...AS_IT_WAS, row, action: "skip" });
  const skips = missing.filter((item) => !left.includes(item));
  for (const item of skips) if (!done(desk, item.row)) record(desk, item, "skip", null);
  const rows = [...marks.rows];
  const cids = idsOf(desk, [...keeps, ...skips]);
  const items = page.items.filter((item) => !left.includes(item)); // no answer to take back
  remember(desk, { page: { ...page, items }, marked: rows, cids });
  drawAround(desk);
  turnPage(desk, page, rows);
  desk.parts.live.textContent = `${keeps.length} kept, ${rows.length} marked`;
  if (missing.length) say(desk, notLoadedWords(skips.length, left.length));
}

/**
 * The ids of the page's answers, by row; of one that went to a copy as well, that of its part.
 *
 * @param {PageDesk} desk
 * @param {Item[]} items
 */
function idsOf({ done }, items) {
  const said = items.map(({ row }) => /** @type {[number, Entry]} */ ([row, done.get(row)]));
  return Object.fromEntries(
    said.map(([row, entry]) => [row, entry.row === row ? entry.cid : `${entry.cid}~${row}`]),
  );
}

/**
 * What an image that was not loaded had been answered by this person is no skip's to replace.
 *
 * @param {Item} item
 */
const isAnsweredByOneself = ({ said }) =>
  Boolean(said?.action && !said.by && said.action !== "skip");

/**
 * @param {number} skipped
 * @param {number} left
 */
function notLoadedWords(skipped, left) {
  const skips = skipped ? `Skipped: ${plural(skipped, "image")} not loaded.` : "";
  const stays = left ? `Left as it was: ${plural(left, "image")} not loaded.` : "";
  return [skips, stays].filter(Boolean).join(" ");
}

/**
 * What nobody can have seen is not kept: the images, without a mark, that could not be loaded.
 *
 * @param {PageDesk} desk
 * @param {Marks} marks
 */
function notLoaded({ parts }, marks) {
  const pictures = parts.tiles.querySelectorAll("img");
  const seen = new Set(marks.page.items.filter((_, i) => pictures[i]?.naturalWidth));
  return kept(marks).filter((item) => !seen.has(item));
}

/**
 * After a page: its marked images one by one, or the next page.
 *
 * @param {PageDesk} desk
 * @param {Page} page
 * @param {number[]} rows marked
 */
function turnPage(desk, page, rows) {
  if (rows.length) {
    desk.outbox.sync.flush();
    desk.follow({ page: page.items[0].row, rows, time: Date.now() });
    show(desk, awaitNext(page));
    return;
  }
  offer(desk);
  if (desk.marks) return;
  show(desk, awaitNext(page));
  desk.outbox.sync.flush();
}

/** @param {PageDesk} desk */
function pageBack(desk) {
  const last = lastPage(desk);
  if (!last) {
    say(desk, "No page to take back.");
    return;
  }
  for (const item of last.page.items) {
    const cid = last.cids[item.row];
    if (cid) record(desk, item, "reopen", null, cid);
  }
  remember(desk, null);
  desk.follow({ page: last.page.items[0].row, rows: [], time: Date.now() }); // they are on the page
  show(desk, openMarks(last.page, last.marked));
  drawAround(desk);
  say(desk, "Last page taken back; what was answered before stands again.");
}

/**
 * @param {PageDesk} desk
 * @param {LastPage | null} last
 */
function remember(desk, last) {
  desk.last = keepPage(desk.data.journal, last) ? null : last;
}

/**
 * @param {PageDesk} desk
 * @returns {LastPage | null}
 */
const lastPage = (desk) => desk.last ?? keptPage(desk.data.journal);
