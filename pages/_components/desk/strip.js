// The strip above the images: how far the review is, what it found, and whether one may stop.

import { courseChart, courseNow, goalLineOf } from "./course.js";
import { icon } from "./icons.js";
import { focus } from "./keys.js";
import { certified, lastIsSooner, toggleLeft } from "./left.js";
import { focusedNear, h } from "./nodes.js";
import { waitingIn } from "./outbox.js";
import { labelledNow, progressNow } from "./progress.js";
import { count, percent, seconds, THIN } from "./words.js";

/**
 * @import { Piece } from "./nodes.js"
 * @import { Outbox } from "./outbox.js"
 * @import { Answered, Goal, Progress } from "./progress.js"
 *
 * @typedef {Object} Stopping whether the person was told that one may stop, and went on
 * @property {string} told
 * @property {string} goesOn from which goal, where the browser's storage is off
 *
 * @typedef {Object} StripData
 * @property {string} journal
 * @property {Progress} progress
 * @property {Answered[]} recent newest first
 * @property {{ total: number, done: number }} [to_label] images that came without a class
 * @property {boolean} [labelling] whether the queue holds those alone
 *
 * @typedef {Object} StripOwner what the strip needs of a desk
 * @property {{ root: HTMLElement, strip: HTMLElement, live: HTMLElement }} parts
 * @property {StripData} data
 * @property {Outbox} outbox
 * @property {Stopping} stopping
 * @property {string} exportButton the class that Export is drawn in
 * @property {(where: string) => void} go
 * @property {{ acts: Record<string, string> }} [layout] what is printed on the keys, where it was asked
 */

const CHART = 150; // px
const WHY = "From images drawn at random and mixed into the queue; holds whatever the queue shows.";
const SINCE =
  "All numbers here are made anew together, every few answers; + counts your answers since.";

/** @param {StripOwner} desk */
export function drawStrip(desk) {
  const { root, strip } = desk.parts;
  const buttons = () => [...strip.querySelectorAll("button")];
  const focused = buttons().findIndex((button) => button === focusedNear(root));
  const { data, outbox } = desk;
  const now = progressNow(data.progress, data.recent, waitingIn(outbox));
  const first = data.labelling ? labelled(desk) : reviewed(now);
  strip.replaceChildren(first, wrong(now), errorsLeft(desk, now));
  strip.classList.toggle("told", isTold(desk, now));
  if (focused >= 0) focus(buttons()[focused] || root);
}

/**
 * @param {Piece | Piece[]} head
 * @param {...(Piece | Piece[])} rest
 */
const figure = (head, ...rest) =>
  h("div", null, h("div", { class: "k" }, head), h("div", { class: "figure" }, ...rest));

/** @param {Progress} now */
function reviewed(now) {
  const share = Math.min(1, (now.reviewed + now.since) / Math.max(now.expected, 1));
  const words =
    now.expected > now.reviewed ? ` of about ${count(now.expected)} reviewed` : " reviewed";
  const pace = now.seconds_per_image;
  return h(
    "div",
    null,
    h(
      "div",
      { class: "k" },
      h(
        "span",
        { title: SINCE },
        h("b", null, count(now.reviewed)),
        now.since ? h("span", { class: "since" }, ` +${count(now.since)}`) : null,
        words,
      ),
      pace ? h("span", { class: "pace" }, `${seconds(pace)} per image`) : null,
    ),
    h(
      "div",
      { class: "bar", style: { marginTop: "9px" } },
      h("i", { style: { width: `${100 * share}%` } }),
    ),
  );
}

/** @param {StripOwner} desk */
function labelled({ data, outbox }) {
  const { total, done } = data.to_label ?? { total: 0, done: 0 };
  const here = labelledNow({ total, done }, data.recent, waitingIn(outbox));
  return h(
    "div",
    null,
    h(
      "div",
      { class: "k" },
      h("span", null, h("b", null, count(here)), ` of ${count(total)} labelled`),
    ),
    h(
      "div",
      { class: "bar", style: { marginTop: "9px" } },
      h("i", { style: { width: `${(100 * here) / Math.max(total, 1)}%` } }),
    ),
  );
}

/** @param {Progress} now */
function wrong(now) {
  const share = now.reviewed ? percent(now.wrong / now.reviewed) : null;
  return figure(
    h("span", null, "Found wrong"),
    h("b", { title: SINCE }, count(now.wrong)),
    now.wrong_since ? h("span", { class: "since" }, ` +${count(now.wrong_since)}`) : null,
    " ",
    share && h("span", { class: "cap" }, share),
  );
}

/**
 * What is left: the estimate, the guarantee, and how it fell. A press shows more.
 *
 * @param {StripOwner} desk
 * @param {Progress} now
 */
function errorsLeft(desk, now) {
  if (isTold(desk, now)) return mayStop(desk, now);
  const course = courseNow(now);
  const size = { width: CHART, height: 42, words: false };
  const press = { type: "button", onclick: () => toggleLeft(desk), "aria-haspopup": "dialog" };
  return h(
    "button",
    { class: "left", title: `${WHY} Press for more.`, ...press },
    h("span", null, inShort(now, counted(desk))),
    course ? courseChart(course, goalLineOf(now), size) : null,
  );
}

/**
 * @param {Progress} now
 * @param {string} images what the errors left are counted among
 */
function inShort(now, images) {
  const { errors_left: left, guess } = now;
  if (left.estimate === null) {
    const about = guess === null || guess === undefined ? "" : `: about ${count(guess)}, a guess`;
    const words = lastIsSooner(now)
      ? `guarantee once all ${count(left.total)} are reviewed`
      : `guarantee after ${count(left.enough)} random checks (${count(left.since)} so far)`;
    return [
      h("span", { class: "k" }, `Errors left${about}`),
      h("span", { class: "figure" }, h("span", { class: "cap" }, words)),
    ];
  }
  const about = `Errors left: about ${count(left.estimate)}`;
  const sure =
    `of ${count(left.total)} ${images}, sure to 95${THIN}% ${left.supposes ?? ""}`.trim();
  return [
    h("span", { class: "k" }, about),
    h(
      "span",
      { class: "figure" },
      h("b", null, `at most ${count(Number(left.limit))}`),
      " ",
      h("span", { class: "cap" }, sure),
    ),
  ];
}

/**
 * What the errors left are counted among: images that came without a class are none of them.
 *
 * @param {StripOwner} desk
 */
const counted = ({ data }) => (data.to_label ? "labelled images" : "images");

/**
 * @param {StripOwner} desk
 * @param {Progress} now
 */
function mayStop(desk, { goal, errors_left: left }) {
  const words = `You may stop: ${goal.reached} (95${THIN}%).`;
  if (desk.stopping.told !== words) desk.stopping.told = desk.parts.live.textContent = words;
  /**
   * @param {string} kind
   * @param {string} text
   * @param {() => void} press
   */
  const button = (kind, text, press) =>
    h("button", { type: "button", class: kind, onclick: press }, text);
  return h(
    "div",
    { class: "left stop", title: WHY },
    h("b", null, icon("done", 18), words),
    h(
      "span",
      { class: "row" },
      button("plainact", "Go on", () => goOn(desk, goal)),
      certified(left) ? button("plainact", "Certificate", () => desk.go("certificate")) : null,
      button(desk.exportButton, "Export", () => desk.go("export")),
    ),
  );
}

/**
 * Whether the strip says that one may stop.
 *
 * @param {StripOwner} desk
 * @param {Progress} now
 */
const isTold = (desk, { goal, errors_left: left }) => left.may_stop && !goesOn(desk, goal);

/** @param {StripOwner} desk */
const goesOnKey = (desk) => `${desk.data.journal}:goes-on`;

/**
 * Whether the person went on from this goal; another one is told again.
 *
 * @param {StripOwner} desk
 * @param {Goal} goal
 */
function goesOn(desk, goal) {
  try {
    return sessionStorage.getItem(goesOnKey(desk)) === named(goal);
  } catch {
    return desk.stopping.goesOn === named(goal);
  }
}

/**
 * The same words may be set again: a hundred images more, say.
 *
 * @param {Goal} goal
 */
const named = ({ number, kind, words }) => `${number} ${kind}: ${words}`;

/**
 * @param {StripOwner} desk
 * @param {Goal} goal
 */
function goOn(desk, goal) {
  try {
    sessionStorage.setItem(goesOnKey(desk), named(goal));
  } catch {
    desk.stopping.goesOn = named(goal);
  }
  drawStrip(desk);
  focus(desk.parts.root);
}
