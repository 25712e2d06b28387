// What a person does on a page. Committing keeps what is not marked; the marked follow one by one.

import { forCopies, noteAnswer } from "../desk/copies.js";
import { toggleKeys } from "../desk/keys.js";
import { drawSaved, post } from "../desk/outbox.js";
import { counts, watch } from "../desk/seen.js";
import { drawStrip } from "../desk/strip.js";
import { toast } from "../desk/toast.js";
import { drawPage } from "./draw.js";
import { enlarge, shrink } from "./large.js";
import { awaitNext, firstOpen, kept, moveFrame, openMarks, toggle, toggleCopies } from "./marks.js";

/**
 * @import { KeyRow } from "../desk/keys.js"
 * @import { Item } from "../desk/progress.js"
 * @import { LastPage, PageDesk } from "./desk.js"
 * @import { Marks } from "./marks.js"
 *
 * @typedef {ReturnType<typeof actsOf>} Acts
 */

const TOO_SOON = "Not counted: the page had only just come.";

/** @type {KeyRow[]} */
const KEYS = [
  [["Q W E R", "A S D F"], "mark the image at that place"],
  [["Z X C V"], "the third row"],
  [["Space"], "mark the framed image"],
  [["Enter"], "commit the page"],
  [["H"], "hold for a larger view"],
  [["⌫"], "last page back; also Ctrl Z"],
  [["← ↑ ↓ →"], "move the frame"],
  [["T"], "one answer for all copies on this page, or for each image"],
  [["G"], "one image at a time"],
  [["L"], "what was skipped or is unsure"],
  [["?"], "this list"],
];

/**
 * The acts of one desk, for its buttons and keys.
 *
 * @param {PageDesk} desk
 */
export const actsOf = (desk) => ({
  /** @param {number} index */
  mark: (index) => {
    const item = desk.marks?.page.items[index];
    if (!desk.marks || !item) return;
    toggle(desk.marks, index);
    if (desk.marks.together) toggleCopies(desk.marks, item);
    drawPage(desk);
  },
  /** @param {number} by */
  move: (by) => {
    if (!desk.marks) return;
    moveFrame(desk.marks, by);
    drawPage(desk);
  },
  commit: () => {
    if (desk.marks?.page.items.length) commit(desk, desk.marks);
  },
  pageBack: () => pageBack(desk),
  toggleTogether: () => {
    const { marks } = desk;
    if (!marks) return;
    marks.together = !marks.together;
    const marked = marks.page.items.filter((item) => marks.rows.has(item.row));
    if (marks.together) for (const item of marked) toggleCopies(marks, item);
    drawPage(desk);
  },
  enlarge: () => enlarge(desk),
  shrink: () => shrink(desk),
  toggleKeys: () => toggleKeys(desk.parts.root, () => KEYS),
});

/**
 * @param {PageDesk} desk
 * @param {Marks | null} marks
 */
function show(desk, marks) {
  desk.marks = marks;
  drawPage(desk);
  const { tiles } = desk.parts;
  const pictures = [...tiles.querySelectorAll("img")];
  if (!marks || !pictures.length) return;
  watch(marks, pictures, tiles, String(marks.page.items[0].row), () => desk.marks === marks);
}

/**
 * Show the first page of the server's that has an open image.
 *
 * @param {PageDesk} desk
 */
export function offer(desk) {
  const page = firstOpen(desk.data.pages, desk.done);
  show(desk, page && openMarks(page, []));
}

/** @param {PageDesk} desk */
export function drawAround(desk) {
  drawStrip(desk);
  drawSaved(desk.outbox);
}

/**
 * @param {PageDesk} desk
 * @param {Item} item
 * @param {"keep" | "reopen"} action
 * @param {number | null} ms
 */
function record({ outbox, done, marks, data }, item, action, ms) {
  const { row, position } = item;
  const blank = { label: null, labels: [], revealed: data.advised, mode: "page" };
  const copies = action === "keep" ? forCopies(item, marks?.together === true) : {};
  noteAnswer(done, item, post(outbox, { row, action, ms, position, ...blank, ...copies }));
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
    desk.parts.live.textContent = TOO_SOON;
    toast(desk.parts.tiles, TOO_SOON);
    return;
  }
  const each = Math.round((now - Number(marks.seenAt)) / page.items.length);
  const keeps = kept(marks);
  for (const item of keeps) {
    if (!done(desk, item.row)) record(desk, item, "keep", each); // else with a copy before it
  }
  const rows = [...marks.rows];
  remember(desk, { page, marked: rows });
  desk.parts.live.textContent = `${keeps.length} kept, ${rows.length} marked`;
  drawAround(desk);
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
  if (!last?.page) {
    desk.parts.live.textContent = "No page to take back.";
    return;
  }
  for (const item of last.page.items) record(desk, item, "reopen", null);
  remember(desk, null);
  show(desk, openMarks(last.page, last.marked));
  drawAround(desk);
  desk.parts.live.textContent = "Last page taken back.";
}

/** @param {PageDesk} desk */
const memoryOf = ({ data }) => `${data.journal}:lastpage`;

/**
 * @param {PageDesk} desk
 * @param {LastPage | null} last
 */
function remember(desk, last) {
  try {
    sessionStorage.setItem(memoryOf(desk), JSON.stringify(last));
  } catch {
    desk.last = last;
  }
}

/**
 * @param {PageDesk} desk
 * @returns {LastPage | null}
 */
function lastPage(desk) {
  try {
    return JSON.parse(sessionStorage.getItem(memoryOf(desk)) ?? "null");
  } catch {
    return desk.last;
  }
}
