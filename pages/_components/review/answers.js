// Answers: given, taken back, or chosen from a list.

import { called, withComing } from "../desk/classes.js";
import { forCopies, noteAnswer } from "../desk/copies.js";
import { noteFollowUp } from "../desk/lastpage.js";
import { post, waitingIn } from "../desk/outbox.js";
import { VERDICTS } from "../desk/verdicts.js";
import { chance, oneLine, plural } from "../desk/words.js";
import {
  evidenceHere,
  isBlind,
  isFollowUp,
  knownHere,
  lastAnswers,
  modeHere,
  takesNothing,
} from "./desk.js";
import { classOf, noSuggestion, objection } from "./choosing.js";
import { noteSeen } from "./evidence.js";
import { drawOverlay } from "./overlay.js";
import { drawPanel } from "./panel.js";
import { newPicker, startPicker } from "./picker.js";
import { closePicker, showAt } from "./present.js";
import { isAnswered, itemOf, nextOpen, placeOf, runsOut, stoodBefore } from "./queue.js";
import { leftWords } from "./said.js";
import { refuse, show } from "./say.js";
import { drawKeys } from "./stage.js";
import { back } from "./travel.js";
import { mayHaveAdvised, refused, sawAdvice, takeBackWrong } from "./turn.js";

/**
 * @import { Answer } from "../desk/journal.js"
 * @import { Answered, Item } from "../desk/progress.js"
 * @import { Action } from "../desk/verdicts.js"
 * @import { ReviewDesk } from "./desk.js"
 */

/**
 * @param {ReviewDesk} desk
 * @param {Action} action
 * @param {{ label?: number, labels?: number[], new_class?: string, named?: string[] }} [more]
 */
export function answer(desk, action, more = {}) {
  const { queue, turn, data } = desk;
  const { item } = queue;
  if (!item) return;
  if (action === "keep" && item.blind) {
    show(desk, "The label is hidden: say what the image is.");
    return;
  }
  if (action === "keep" && item.no_class) {
    show(desk, `${oneLine(data.classes[item.given])} is no class. / says what it is.`);
    return;
  }
  const words = refused(turn, action, desk.session.pressedAt);
  if (words) {
    refuse(desk, words);
    return;
  }
  const before = stoodBefore(item, queue.done.get(item.row), lastAnswers(desk));
  const left = action === "skip" ? leftWords(item, before) : "";
  if (left) {
    queue.left.add(item.row);
    goOn(desk);
    if (runsOut(queue)) desk.leave({ view: data.view, rows: [...queue.left] });
    show(desk, left);
    return;
  }
  const followsUp = isFollowUp(desk);
  const { cid } = record(desk, item, action, {
    label: null,
    labels: [],
    ...more,
    ms: turn.seenAt === null ? null : Math.round(desk.session.pressedAt - turn.seenAt),
    revealed: sawAdvice(turn, modeHere(desk), action, desk.advised.has(item.row)),
    mode: followsUp && !item.blind ? "page" : modeHere(desk),
    ...forCopies(item, desk.turn.together),
    ...(before ? { before } : {}),
  });
  if (followsUp) noteFollowUp(data.journal, item.row, cid);
  desk.session.answers += 1;
  goOn(desk);
}

/**
 * After an answer: to the next image, or back from where one went out of turn.
 *
 * @param {ReviewDesk} desk
 */
function goOn(desk) {
  const { queue, detour } = desk;
  if (detour.from && !isAnswered(queue, detour.from.row)) back(desk);
  else showAt(desk, nextOpen(queue, queue.at + 1));
}

/**
 * @param {ReviewDesk} desk
 * @param {Item} item
 * @param {Answer["action"]} action
 * @param {Omit<Answer, "row" | "action" | "position">} more
 */
function record({ outbox, queue }, item, action, more) {
  const { row, position, look, no_class: apart } = item;
  const entry = post(outbox, { row, action, ...more, position, apart, ...(look ? { look } : {}) });
  queue.left.delete(row);
  noteAnswer(queue.done, item, entry);
  return entry;
}

/**
 * What was pressed last. A skip that the server left out leaves the answer that stands.
 *
 * @param {ReviewDesk} desk
 * @returns {Answered | undefined}
 */
function lastPress(desk) {
  const last = lastAnswers(desk)[0];
  const here = /** @type {Answered | undefined} */ (last && desk.queue.done.get(last.row));
  if (here?.action !== "skip" || !here.cid || last.action === "skip") return last;
  const before = stoodBefore(itemOf(last), last, []);
  return { ...itemOf(last), ...here, ...(before ? { before } : {}) };
}

/** @param {ReviewDesk} desk */
export function undo(desk) {
  const { queue, turn } = desk;
  if (queue.item && turn.phase === "wrong" && !isFollowUp(desk)) {
    takeBackWrong(turn, desk.advised.has(queue.item.row));
    drawKeys(desk);
    drawPanel(desk);
    drawOverlay(desk);
    return;
  }
  const last = lastPress(desk);
  if (!last) {
    show(desk, "Nothing to take back.");
    return;
  }
  const item = itemOf(last);
  if (mayHaveAdvised(last)) noteSeen(desk, item); // perhaps before a reload
  const blank = { label: null, labels: [], ms: null, revealed: false, mode: desk.data.mode };
  const { before, cid } = last;
  record(desk, item, "reopen", {
    ...blank,
    ...(cid ? { back: cid } : {}),
    ...(before ? { before } : {}),
  });
  let index = placeOf(queue, item.row);
  if (index < 0) {
    index = Math.min(queue.at, queue.list.length);
    queue.list.splice(index, 0, item);
  }
  showAt(desk, index);
  const word = VERDICTS[/** @type {Action} */ (last.action)][1];
  const also = last.others ? `, and so on ${plural(last.others, "copy", "copies")}` : "";
  const again = before ? `; now again: ${VERDICTS[before.action][1]}` : "";
  if (item.blind)
    show(desk, before ? "Taken back; the answer before stands again." : "Taken back.");
  else
    show(desk, `Taken back: ${oneLine(desk.data.classes[item.given])} was ${word}${also}${again}.`);
}

/** @param {ReviewDesk} desk */
export function accept(desk) {
  const found = evidenceHere(desk);
  const option = found?.top[0];
  if (!option) {
    refuse(desk, noSuggestion(knownHere(desk))); // nobody accepts unseen
    return;
  }
  if (takesNothing(desk)) {
    const p = `p wrong ${chance(found.p_wrong ?? 0)}`;
    show(desk, `Nothing taken (${p}): K keeps the label, W says it is wrong.`);
    return;
  }
  relabel(desk, option.label);
}

/**
 * Relabel to a class by its place: of a key, a suggestion or a list, not chosen by its name.
 *
 * @param {ReviewDesk} desk
 * @param {number} label its place among those offered
 * @param {string[]} [offered]
 */
export function relabel(desk, label, offered = desk.data.classes) {
  const words = objection(desk.data, desk.queue.item?.given, label, offered);
  if (words) show(desk, words);
  else answerOne(desk, label, offered);
}

/**
 * @param {ReviewDesk} desk
 * @param {string} key
 */
export function digit(desk, key) {
  const found = classOf(desk.data, knownHere(desk), key);
  if (typeof found === "number") relabel(desk, found);
  else refuse(desk, found);
}

/**
 * @param {ReviewDesk} desk
 * @param {number} label its place among those offered
 * @param {string[]} offered
 */
function answerOne(desk, label, offered) {
  const { name, label: number } = called(desk.data, label, offered);
  answer(desk, "relabel", { label: number, ...(name ? { new_class: name } : {}) });
}

/**
 * @param {ReviewDesk} desk
 * @param {number[]} labels
 * @param {string[]} offered
 */
function answerSeveral(desk, labels, offered) {
  const all = labels.map((label) => called(desk.data, label, offered));
  const [numbers, named] = [all.map((each) => each.label), all.map((each) => each.name)];
  answer(desk, "multiple", { labels: numbers, ...(named.some(Boolean) ? { named } : {}) });
}

/**
 * @param {ReviewDesk} desk
 * @param {boolean} several
 */
export function pickClass(desk, several) {
  const { item } = desk.queue;
  if (!item || desk.picker) return;
  const ticked = desk.turn.phase !== "wrong" && !isBlind(desk); // what was just called wrong is not marked
  // What is offered stays as it is while the picker is open, whatever the server says meanwhile.
  const { imported, no_classes: never, retired = [] } = desk.data;
  const classes = withComing(desk.data.classes, waitingIn(desk.outbox));
  desk.picker = newPicker({ classes, imported, never, retired }, item, several && ticked, several, {
    closed: () => closePicker(desk),
    one: (label) => answerOne(desk, label, classes),
    several: (labels, fresh) => answerSeveral(desk, labels, fresh ? [...classes, fresh] : classes),
    fresh: (name) => answer(desk, "relabel", { label: -1, new_class: name }),
    refused: (words) => show(desk, words),
  });
  desk.parts.panel.append(desk.picker.box);
  startPicker(desk.picker);
}
