// Answers: given, taken back, or chosen from a list.

import { classKeys } from "../desk/classes.js";
import { forCopies, noteAnswer } from "../desk/copies.js";
import { post } from "../desk/outbox.js";
import { VERDICTS } from "../desk/verdicts.js";
import { chance, oneLine, plural } from "../desk/words.js";
import { evidenceHere, isBlind, isFollowUp, lastAnswers, modeHere, takesNothing } from "./desk.js";
import { drawOverlay } from "./overlay.js";
import { drawPanel } from "./panel.js";
import { IS_GIVEN, newPicker, startPicker } from "./picker.js";
import { closePicker, showAt } from "./present.js";
import { isAnswered, itemOf, nextOpen, placeOf } from "./queue.js";
import { show } from "./say.js";
import { drawKeys } from "./stage.js";
import { back } from "./travel.js";
import { refused, sawAdvice, takeBackWrong } from "./turn.js";

/**
 * @import { Answer } from "../desk/journal.js"
 * @import { Item } from "../desk/progress.js"
 * @import { Action } from "../desk/verdicts.js"
 * @import { ReviewDesk } from "./desk.js"
 */

/**
 * @param {ReviewDesk} desk
 * @param {Action} action
 * @param {{ label?: number, labels?: number[], new_class?: string }} [more]
 */
export function answer(desk, action, more = {}) {
  const { queue, turn, data, detour } = desk;
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
    show(desk, words);
    return;
  }
  record(desk, item, action, {
    label: more.label ?? null,
    labels: more.labels ?? [],
    ms: turn.seenAt === null ? null : Math.round(desk.session.pressedAt - turn.seenAt),
    revealed: sawAdvice(turn, modeHere(desk), action, desk.evidence.has(item.row)),
    mode: isFollowUp(desk) && !item.blind ? "page" : modeHere(desk),
    ...(more.new_class ? { new_class: more.new_class } : {}),
    ...forCopies(item, desk.turn.together),
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
function record({ outbox, queue, session }, item, action, more) {
  const { row, position, look, no_class: apart } = item;
  const entry = post(outbox, { row, action, ...more, position, apart, ...(look ? { look } : {}) });
  session.known.add(entry.cid);
  noteAnswer(queue.done, item, entry);
}

/** @param {ReviewDesk} desk */
export function undo(desk) {
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
  const also = last.others ? `, and so on ${plural(last.others, "copy", "copies")}` : "";
  if (item.blind) show(desk, "Taken back.");
  else show(desk, `Taken back: ${oneLine(desk.data.classes[item.given])} was ${word}${also}.`);
}

/** @param {ReviewDesk} desk */
export function accept(desk) {
  const found = evidenceHere(desk);
  const option = found?.top[0];
  if (!option) return; // nobody accepts unseen
  if (takesNothing(desk)) {
    const p = `p wrong ${chance(found.p_wrong ?? 0)}`;
    show(desk, `Nothing taken (${p}): K keeps the label, W says it is wrong.`);
    return;
  }
  answer(desk, "relabel", { label: option.label });
}

/**
 * @param {ReviewDesk} desk
 * @param {string} key
 */
export function digit(desk, key) {
  const keys = classKeys(desk.data.classes);
  const label = keys ? keys.indexOf(key) : evidenceHere(desk)?.top[Number(key) - 1]?.label;
  if (label === undefined || label < 0) return;
  if (desk.data.no_classes.includes(label)) {
    show(desk, `${oneLine(desk.data.classes[label])} is no class.`);
  } else if (label === desk.queue.item?.given) show(desk, IS_GIVEN);
  else answer(desk, "relabel", { label });
}

/**
 * Relabel to a class that is not there yet: the server gives it its number, by its name.
 *
 * @param {ReviewDesk} desk
 * @param {string} name
 */
function answerNew(desk, name) {
  answer(desk, "relabel", { label: addedTo(desk, name), new_class: name });
}

/**
 * @param {ReviewDesk} desk
 * @param {string} name
 * @returns {number} where a class stands here, added where it is new
 */
function addedTo({ data: { classes } }, name) {
  if (!classes.includes(name)) classes.push(name);
  return classes.indexOf(name);
}

/**
 * @param {ReviewDesk} desk
 * @param {number[]} labels
 * @param {string} fresh name of the last one where it is a new class
 */
function answerSeveral(desk, labels, fresh) {
  if (!fresh) answer(desk, "multiple", { labels });
  else {
    const all = [...labels.slice(0, -1), addedTo(desk, fresh)];
    answer(desk, "multiple", { labels: all, new_class: fresh });
  }
}

/**
 * @param {ReviewDesk} desk
 * @param {boolean} several
 */
export function pickClass(desk, several) {
  const { item } = desk.queue;
  if (!item || desk.picker) return;
  const none = [...desk.data.no_classes, ...(desk.data.retired ?? [])];
  const ticked = desk.turn.phase !== "wrong" && !isBlind(desk); // what was just called wrong is not marked
  desk.picker = newPicker(desk.data.classes, none, item, several && ticked, several, {
    closed: () => closePicker(desk),
    one: (label) => answer(desk, "relabel", { label }),
    several: (labels, fresh) => answerSeveral(desk, labels, fresh),
    fresh: (name) => answerNew(desk, name),
    refused: (words) => show(desk, words),
  });
  desk.parts.panel.append(desk.picker.box);
  startPicker(desk.picker);
}
