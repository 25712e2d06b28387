// What a person does. A press is drawn at once and never waits for the server.

import { classKeys } from "../desk/classes.js";
import { focus, toggleKeys } from "../desk/keys.js";
import { post } from "../desk/outbox.js";
import { VERDICTS } from "../desk/verdicts.js";
import { oneLine, short } from "../desk/words.js";
import { evidenceHere, isFollowUp, lastAnswers, showsEvidence } from "./desk.js";
import { mapsHere } from "./evidence.js";
import { drawOverlay } from "./overlay.js";
import { askForMaps, drawPanel } from "./panel.js";
import { newPicker } from "./picker.js";
import { isAnswered, itemOf, moveTo, nextOpen, placeOf } from "./queue.js";
import { say, show } from "./say.js";
import { askForEvidence, drawItem, drawKeys, prepare } from "./stage.js";
import { nextMap, openTurn, sawAdvice, takeBackWrong } from "./turn.js";

/**
 * @import { Answer } from "../desk/journal.js"
 * @import { KeyRow } from "../desk/keys.js"
 * @import { Item } from "../desk/progress.js"
 * @import { Action } from "../desk/verdicts.js"
 * @import { ReviewDesk } from "./desk.js"
 * @import { MapName } from "./turn.js"
 *
 * @typedef {ReturnType<typeof actsOf>} Acts
 */

/** @type {KeyRow[]} */
const KEYS = [
  [["K"], "right: the label stays"],
  [["W"], "wrong: opens the suggestion"],
  [["U"], "unsure: to a second reviewer"],
  [["A", "Enter"], "accept the suggestion (after Wrong)"],
  [["0–9"], "the class of that digit (after Wrong)"],
  [["/"], "search a class (after Wrong)"],
  [["M"], "multiple: more than one class is right"],
  [["N"], "none fits"],
  [["S"], "skip"],
  [["Z"], "undo; also Ctrl Z"],
  [["E"], "show the suggestion now (recorded)"],
  [["C"], "map over the image: suggested, given, none"],
  [["D"], "difference of the maps over the image"],
  [["←", "→"], "previous, next"],
  [["B"], "back to the queue, from an image opened out of turn"],
  [["G"], "page mode: twelve images at once"],
  [["?"], "this list"],
];

/**
 * The acts of one desk, for its buttons and keys.
 *
 * @param {ReviewDesk} desk
 */
export const actsOf = (desk) => ({
  /**
   * @param {Action} action
   * @param {{ label?: number, labels?: number[] }} [more]
   */
  answer: (action, more) => answer(desk, action, more),
  wrong: () => wrong(desk),
  reveal: () => reveal(desk),
  undo: () => undo(desk),
  /** @param {number} by */
  step: (by) => step(desk, by),
  accept: () => accept(desk),
  /** @param {string} key */
  digit: (key) => digit(desk, key),
  /** @param {boolean} several */
  pickClass: (several) => pickClass(desk, several),
  closePicker: () => closePicker(desk),
  /** @param {number} row */
  jump: (row) => jump(desk, row),
  back: () => back(desk),
  /** @param {MapName} which */
  setOverlay: (which) => setOverlay(desk, which),
  nextOverlay: () => setOverlay(desk, nextMap(desk.turn.overlay)),
  /** @param {string} key */
  chooseSource: (key) => chooseSource(desk, key),
  /** @param {number} opacity */
  setOpacity: (opacity) => setOpacity(desk, opacity),
  /** @param {boolean} byKey */
  swapNearest: (byKey) => swapNearest(desk, byKey),
  toggleKeys: () => toggleKeys(desk.parts.root, () => keyRows(desk)),
});

/**
 * Show the image at a place of the queue.
 *
 * @param {ReviewDesk} desk
 * @param {number} index
 */
export function showAt(desk, index) {
  closePicker(desk);
  moveTo(desk.queue, index);
  desk.turn = openTurn(isFollowUp(desk), performance.now());
  drawItem(desk);
  prepare(desk);
  if (showsEvidence(desk)) askForEvidence(desk);
}

// Answers ----------------------------------------------------------------------------------------

/**
 * @param {ReviewDesk} desk
 * @param {Action} action
 * @param {{ label?: number, labels?: number[] }} [more]
 */
function answer(desk, action, more = {}) {
  const { queue, turn, data, detour } = desk;
  const { item } = queue;
  if (!item) return;
  record(desk, item, action, {
    label: more.label ?? null,
    labels: more.labels ?? [],
    ms: Math.round(performance.now() - turn.shownAt),
    revealed: sawAdvice(turn, data.mode, action, desk.evidence.has(item.row)),
    mode: isFollowUp(desk) ? "page" : data.mode,
  });
  desk.session.answers += 1;
  if (detour.from && !isAnswered(queue, detour.from.row)) back(desk);
  else showAt(desk, nextOpen(queue, queue.at + 1));
}

/**
 * @param {ReviewDesk} desk
 * @param {Item} item
 * @param {Answer["action"]} action
 * @param {Omit<Answer, "row" | "action" | "position">} more
 */
function record({ outbox, queue }, { row, position }, action, more) {
  queue.done.set(row, post(outbox, { row, action, ...more, position }));
}

/** @param {ReviewDesk} desk */
function wrong(desk) {
  if (!desk.queue.item || desk.turn.phase === "wrong") return;
  desk.turn.phase = "wrong";
  drawKeys(desk);
  askForEvidence(desk);
  drawPanel(desk);
  say(desk, "Wrong. Which class is it?");
}

/** @param {ReviewDesk} desk */
function reveal(desk) {
  if (!desk.queue.item || showsEvidence(desk)) return;
  desk.turn.revealed = true;
  askForEvidence(desk);
  drawKeys(desk);
  drawPanel(desk);
}

/** @param {ReviewDesk} desk */
function undo(desk) {
  const { queue, turn } = desk;
  if (queue.item && turn.phase === "wrong" && !isFollowUp(desk)) {
    takeBackWrong(turn, desk.evidence.has(queue.item.row));
    drawKeys(desk);
    drawPanel(desk);
    drawOverlay(desk);
    return;
  }
  const last = lastAnswers(desk)[0];
  if (!last) {
    show(desk, "Nothing to take back.");
    return;
  }
  const item = itemOf(last);
  const blank = { label: null, labels: [], ms: null, revealed: false, mode: desk.data.mode };
  record(desk, item, "reopen", blank);
  let index = placeOf(queue, item.row);
  if (index < 0) {
    index = Math.min(queue.at, queue.list.length);
    queue.list.splice(index, 0, item);
  }
  showAt(desk, index);
  const word = VERDICTS[/** @type {Action} */ (last.action)][1];
  show(desk, `Taken back: ${oneLine(desk.data.classes[item.given])} was ${word}.`);
}

/** @param {ReviewDesk} desk */
function accept(desk) {
  const option = evidenceHere(desk)?.top[0];
  if (option) answer(desk, "relabel", { label: option.label }); // nobody accepts unseen
}

/**
 * @param {ReviewDesk} desk
 * @param {string} key
 */
function digit(desk, key) {
  const keys = classKeys(desk.data.classes);
  const label = keys ? keys.indexOf(key) : evidenceHere(desk)?.top[Number(key) - 1]?.label;
  if (label === undefined || label < 0) return;
  if (label === desk.queue.item?.given) {
    show(desk, "That is the given label. K says that it is right.");
  } else answer(desk, "relabel", { label });
}

/**
 * @param {ReviewDesk} desk
 * @param {boolean} several
 */
function pickClass(desk, several) {
  const { item } = desk.queue;
  if (!item || desk.picker) return;
  desk.picker = newPicker(desk.data.classes, item, several, {
    closed: () => closePicker(desk),
    one: (label) => answer(desk, "relabel", { label }),
    several: (labels) => answer(desk, "multiple", { labels }),
  });
  desk.parts.panel.append(desk.picker.box);
  desk.picker.start();
}

/** @param {ReviewDesk} desk */
function closePicker(desk) {
  if (!desk.picker) return;
  desk.picker.box.remove();
  desk.picker = null;
  focus(desk.parts.root);
}

// To and fro -------------------------------------------------------------------------------------

/**
 * @param {ReviewDesk} desk
 * @param {number} by
 */
function step(desk, by) {
  const { queue } = desk;
  let index = queue.at + by;
  if (index < 0) {
    // before this visit: the answers that the server knows
    const rows = new Set(queue.list.map((item) => item.row));
    const older = lastAnswers(desk).find((each) => !rows.has(each.row));
    if (!older) return;
    queue.list.unshift(itemOf(older));
    queue.done.set(older.row, older);
    index = 0;
  }
  if (index < queue.list.length) showAt(desk, index);
}

/**
 * Out of turn: to an image of the evidence.
 *
 * @param {ReviewDesk} desk
 * @param {number} row
 */
function jump(desk, row) {
  const { queue, detour } = desk;
  if (!queue.item || row === queue.item.row) return;
  detour.from ??= { row: queue.item.row, turn: desk.turn };
  detour.to = row;
  desk.go(`row:${row}`);
  if (placeOf(queue, row) < 0) {
    const known = lastAnswers(desk).find((each) => each.row === row);
    if (known) {
      queue.list.splice(queue.at + 1, 0, itemOf(known));
      queue.done.set(row, known);
    }
  }
  land(desk);
}

/**
 * The image of a jump may be here already, or comes with what the server says next.
 *
 * @param {ReviewDesk} desk
 * @returns {boolean} whether it is here
 */
export function land(desk) {
  const { detour, queue } = desk;
  const index = detour.to === null ? -1 : placeOf(queue, detour.to);
  if (index < 0) return false;
  detour.to = null;
  showAt(desk, index);
  focus(desk.parts.root);
  return true;
}

/**
 * Back to the image whose evidence led away, as it was left.
 *
 * @param {ReviewDesk} desk
 */
function back(desk) {
  const { detour, queue } = desk;
  if (!detour.from) return;
  const { row, turn } = detour.from;
  detour.to = detour.from = null;
  desk.go("back");
  showAt(desk, placeOf(queue, row));
  if (!queue.item || isAnswered(queue, row)) return;
  if (turn.revealed) reveal(desk);
  if (turn.phase === "wrong") wrong(desk);
}

// How the panel looks ----------------------------------------------------------------------------

/**
 * @param {ReviewDesk} desk
 * @param {MapName} which
 */
function setOverlay(desk, which) {
  const maps = mapsHere(desk);
  if (!showsEvidence(desk)) show(desk, "The map comes after your answer.");
  else if (maps?.state === "making") show(desk, "The map is being drawn.");
  else if (maps?.state !== "ready") show(desk, "The map comes with a run of HNML.");
  else {
    desk.turn.overlay = which;
    drawPanel(desk);
    drawOverlay(desk);
  }
}

/**
 * @param {ReviewDesk} desk
 * @param {string} key
 */
function chooseSource(desk, key) {
  desk.look.mapSource = key;
  askForMaps(desk);
  drawPanel(desk);
  focus(desk.parts.root);
}

/**
 * @param {ReviewDesk} desk
 * @param {number} opacity
 */
function setOpacity(desk, opacity) {
  desk.look.mapOpacity = opacity;
  drawPanel(desk);
  drawOverlay(desk);
}

/**
 * @param {ReviewDesk} desk
 * @param {boolean} byKey then the button keeps the focus
 */
function swapNearest(desk, byKey) {
  desk.look.nearBoth = !desk.look.nearBoth;
  drawPanel(desk);
  if (byKey) focus(desk.parts.panel.querySelector(".nears .hd button") ?? undefined);
}

/** @param {ReviewDesk} desk */
function keyRows({ data }) {
  const keys = classKeys(data.classes);
  if (!keys) return KEYS;
  /** @type {KeyRow[]} */
  const classes = data.classes.map((name, label) => [[keys[label]], short(name, 30)]);
  /** @param {KeyRow} row */
  const place = ([[key]]) => (Number(key) + 9) % 10; // 1 first, 0 last, as on the keyboard
  return [...KEYS, ...classes.sort((a, b) => place(a) - place(b))];
}
