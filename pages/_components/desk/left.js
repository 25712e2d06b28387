// What is left and when to stop, in plain words: found, estimate, guarantee, what the goal takes.

import { courseChart, courseNow, goalLineOf } from "./course.js";
import { icon } from "./icons.js";
import { openKeys, uncover } from "./keys.js";
import { cap, h } from "./nodes.js";
import { waitingIn } from "./outbox.js";
import { progressNow } from "./progress.js";
import { count, plural, THIN } from "./words.js";

/**
 * @import { Progress } from "./progress.js"
 * @import { StripOwner } from "./strip.js"
 * @typedef {{ name: string, value: string, side: string }} Fact
 */

const WIDEST = 700; // px of the large chart
const HOW = [
  "The estimate comes from the scores, as your answers correct them; it promises nothing.",
  "The guarantee comes from images drawn at random and mixed into the queue. Whenever you stop, it " +
    `is true with 95${THIN}% certainty, if the answers to those images are right.`,
];

/**
 * The four things to know, each with its name.
 *
 * @param {Progress} now
 * @returns {Fact[]}
 */
export function facts(now) {
  const found = { name: "Wrong labels found", value: count(now.wrong) };
  return [
    { ...found, side: `in ${plural(now.reviewed, "image")} reviewed` },
    estimateOf(now),
    guaranteeOf(now),
    goalOf(now),
  ];
}

/**
 * @param {Progress} now
 * @returns {Fact}
 */
function estimateOf({ errors_left: left, guess, guess_said: said }) {
  const name = "Probably left";
  if (left.estimate !== null) {
    const side = "an estimate by scores and answers, no promise";
    return { name, value: `about ${count(left.estimate)}`, side };
  }
  if (guess === null || guess === undefined) {
    return { name, value: "–", side: "not known yet" };
  }
  return { name, value: `about ${count(guess)}`, side: said ?? "a guess by the scores" };
}

/**
 * @param {Progress} now
 * @returns {Fact}
 */
function guaranteeOf(now) {
  const { errors_left: left, course } = now;
  const people = course?.people;
  const name = "Guaranteed";
  if (left.limit === null || left.estimate === null) {
    const side = `after ${plural(left.enough, "random check")}, ${count(left.since)} so far`;
    const all = lastIsSooner(now) ? `; or once all ${count(left.total)} are reviewed` : "";
    return { name, value: "nothing yet", side: side + all };
  }
  const alone = `sure to 95${THIN}% ${left.supposes ?? ""}`.trim();
  const sure = people ? `${alone}. ${people}` : alone;
  return { name, value: `at most ${count(left.limit)} left`, side: sure };
}

const EVERY = 5; // of the queue's images one is drawn at random, at first

/**
 * Whether every image has its answer before the random checks are enough: so in a small set.
 *
 * @param {Progress} now
 */
export const lastIsSooner = ({ reviewed, errors_left: { enough, since, total } }) =>
  EVERY * (enough - since) >= total - reviewed;

/**
 * @param {Progress} now
 * @returns {Fact}
 */
function goalOf(now) {
  const { errors_left: left, goal, course } = now;
  const name = "To the goal";
  if (goal.holds) return { name, value: "reached", side: `${goal.reached}: you may stop` };
  const known = left.limit !== null && left.estimate !== null;
  const stop = known ? `or stop now: at most ${count(Number(left.limit))}` : "";
  const end = course?.ahead[course.ahead.length - 1];
  const all = goal.all ? "looking at every image takes hardly longer, and is sure" : "";
  const then = isTime(goal) && end ? `then at most ${count(end[1])} left, it is expected` : "";
  return {
    name,
    value: goal.takes,
    side: [goal.words, goal.said, waits(now) ? left.waits : "", all, then, stop]
      .filter(Boolean)
      .join("; "),
  };
}

/**
 * Whether there is a certificate: the goal is reached, and random draws prove something.
 *
 * @param {Progress["errors_left"]} left
 */
export const certified = ({ may_stop: holds, limit, since }) =>
  holds && limit !== null && since > 0;

/**
 * Whether drawn images were put off and keep the goal away: nothing else leads back to them.
 *
 * @param {Progress} now
 */
export const waits = ({ goal, errors_left: left }) =>
  !goal.holds && !isTime(goal) && Boolean(left.waits);

/**
 * Opens all that was skipped or is unsure, drawn or not: nothing tells which are drawn.
 *
 * @param {Progress} now
 * @param {() => void} go
 * @param {string} kind of button
 * @param {boolean} any whether some is there, be the goal near or far
 */
export function waitsButton(now, go, kind = "plainact", key = "L", any = false) {
  const press = { type: "button", class: kind, onclick: go, "data-key": "l" };
  if (!any && !waits(now)) return null;
  return h("button", press, "Show skipped and unsure\u00a0", cap(key, true));
}

/** @param {Progress["goal"]} goal */
const isTime = ({ kind }) => kind === "reviews" || kind === "seconds";

/** @param {StripOwner} desk */
const nowOf = ({ data, outbox }) => progressNow(data.progress, data.recent, waitingIn(outbox));

/** @param {Fact} fact */
const factNode = ({ name, value, side }) =>
  h(
    "div",
    null,
    h("dt", { class: "cap" }, name),
    h("dd", null, h("b", null, value), h("span", { class: "cap" }, side)),
  );

/**
 * The chart, or where it will be.
 *
 * @param {Progress} now
 * @param {number} width px
 * @param {number} height px
 */
function chartOr(now, width, height) {
  const course = courseNow(now);
  if (course) return courseChart(course, goalLineOf(now), { width, height, words: true });
  const { enough, since } = now.errors_left;
  if (lastIsSooner(now)) return null;
  const words = `The guarantee is drawn here after ${plural(Math.max(1, enough - since), "more random check")}.`;
  return h("div", { class: "nocourse cap" }, words);
}

/**
 * The panel, small: beside the images where they leave room.
 *
 * @param {StripOwner} desk
 * @param {number} width px
 */
export function leftSection(desk, width) {
  const now = nowOf(desk);
  const more = {
    type: "button",
    class: "plainbtn",
    onclick: () => toggleLeft(desk),
    "aria-haspopup": "dialog",
  };
  return h(
    "section",
    { class: "sec leftsec", "aria-label": "What is left" },
    h(
      "div",
      { class: "hd" },
      h("b", null, "What is left"),
      h("span", { class: "sp" }),
      waitsButton(now, () => desk.go("waits"), "plainbtn"),
      h("button", more, "more"),
    ),
    h("dl", { class: "leftfacts" }, facts(now).map(factNode)),
    chartOr(now, width, 104),
  );
}

/**
 * The panel, large, over the images; a second call takes it away.
 *
 * @param {StripOwner} desk
 */
export function toggleLeft(desk) {
  const { root } = desk.parts;
  if (openKeys(root)) {
    uncover(root);
    return;
  }
  const change = { class: "plainact", type: "button" };
  const close = { class: "plainbtn", type: "button", "aria-label": "Close" };
  const shut = () => toggleLeft(desk);
  /** @param {string} where */
  const leaveFor = (where) => () => {
    shut();
    desk.go(where);
  };
  const now = nowOf(desk);
  const width = Math.min(WIDEST, Math.max(250, root.clientWidth - 70));
  const dialog = { role: "dialog", "aria-modal": "true", "aria-label": "What is left" };
  root.append(
    h(
      "div",
      { class: "overlay", ...dialog },
      h(
        "div",
        { class: "sheet" },
        h(
          "div",
          { class: "sheethead" },
          h("b", null, "What is left"),
          h("button", { ...close, onclick: shut }, icon("close")),
        ),
        h("dl", { class: "leftfacts" }, facts(now).map(factNode)),
        chartOr(now, width, 220),
        courseNow(now) ? legend(now) : null,
        HOW.map((words) => h("p", { class: "cap" }, words)),
        h(
          "div",
          { class: "row" },
          certified(now.errors_left)
            ? h("button", { ...change, onclick: leaveFor("certificate") }, "Certificate")
            : null,
          waitsButton(now, leaveFor("waits"), "plainact", desk.layout?.acts.L),
          h("button", { ...change, onclick: leaveFor("goal") }, "Change the goal"),
        ),
      ),
    ),
  );
}

/** @param {Progress} now */
function legend(now) {
  const goal = goalLineOf(now);
  return h(
    "div",
    { class: "courselegend cap", "aria-hidden": "true" },
    h("span", { class: "past" }, "guaranteed so far"),
    courseNow(now)?.ahead.length ? h("span", { class: "ahead" }, "expected") : null,
    goal === null ? null : h("span", { class: "goal" }, `goal: at most ${count(goal)} left`),
    h("i", null, "heights: square roots of the numbers"),
  );
}
