// The panel before the answer: what the class means here, and the last answers. Nothing here says
// what the methods think.

import { namesIn } from "../desk/classes.js";
import { icon } from "../desk/icons.js";
import { leftSection } from "../desk/left.js";
import { cap, gap, h, missing, named, section } from "../desk/nodes.js";
import { at, thumb } from "../desk/pictures.js";
import { verdict } from "../desk/verdicts.js";
import { count, oneLine, seconds, short } from "../desk/words.js";
import { lastAnswers } from "./desk.js";
import { classList } from "./naming.js";
import { looksWords } from "./said.js";
import { copiesBefore } from "./together.js";

/**
 * @import { Answered, Item } from "../desk/progress.js"
 * @import { Action } from "../desk/verdicts.js"
 * @import { ReviewDesk } from "./desk.js"
 */

/**
 * @param {ReviewDesk} desk
 * @param {Item} item
 */
export function panelBefore(desk, item) {
  const { wide } = desk.look;
  const hint =
    desk.data.mode === "commit" && !item.blind
      ? h(
          "div",
          { class: "hint" },
          icon("hidden", 16),
          h(
            "span",
            null,
            "Suggestion after your answer. ",
            cap("E"),
            " shows it now, and is recorded.",
          ),
        )
      : null;
  const left = desk.data.labelling ? null : leftSection(desk, wide ? 360 : 420);
  return [
    h(
      "div",
      { class: "pc" },
      copiesBefore(desk, item),
      meaning(desk, item, wide ? 20 : 10),
      item.unscored ? notScored() : null,
      hint,
      wide ? gap() : null,
      wide ? thisSession(desk) : null,
    ),
    h(
      "div",
      { class: "pc" },
      left,
      answersSection(desk, wide ? 16 : 7),
      looksLine(desk),
      h("div", { class: "foot" }, desk.outbox.saved),
    ),
  ];
}

/** @param {ReviewDesk} desk */
function looksLine({ data }) {
  const words = looksWords(data);
  return words ? h("div", { class: "cap looks" }, words) : null;
}

/**
 * @param {ReviewDesk} desk
 * @param {Item} item
 * @param {number} most images
 */
function meaning(desk, item, most) {
  if (item.blind) return classList(desk);
  return item.no_class ? whatIsIt(desk, item) : meansHere(desk, item, most);
}

/**
 * Where nothing is left to review.
 *
 * @param {ReviewDesk} desk
 */
export const panelAtEnd = (desk) => [
  h("div", { class: "pc" }),
  h(
    "div",
    { class: "pc" },
    answersSection(desk, desk.look.wide ? 16 : 12),
    h("div", { class: "foot" }, desk.outbox.saved),
  ),
];

/**
 * @param {ReviewDesk} desk
 * @param {Item} item
 * @param {number} most images
 */
function meansHere(desk, item, most) {
  const known = desk.classFacts.get(item.given) || { exemplars: [], confirmed: 0, guide: "" };
  const rows = known.exemplars.filter((row) => row !== item.row).slice(0, most);
  const name = desk.data.classes[item.given];
  const alt = `example of ${oneLine(name)}`;
  const images = rows.map((row) => thumb(at(desk.data.urls.thumb, row), alt));
  return section(
    h("b", null, "What ", named("i", name), " means here"),
    h("span", null, rows.length ? chosenHow(known.confirmed, rows.length) : ""),
    rows.length
      ? h("div", { class: "thumbs g5" }, images)
      : missing("No other sure image of this class."),
    known.guide ? h("div", { class: "cap guide" }, short(known.guide, 240)) : null,
  );
}

/**
 * @param {ReviewDesk} desk
 * @param {Item} item
 */
const whatIsIt = ({ data }, item) =>
  section(
    h("b", null, "What is it?"),
    null,
    h(
      "div",
      { class: "cap guide" },
      "Nobody has said: it came as ",
      named("i", data.classes[item.given]),
      ". Choose its class with ",
      cap("/"),
      "; ",
      cap("N"),
      " where none fits.",
    ),
  );

const notScored = () =>
  h(
    "div",
    { class: "hint" },
    icon("waiting", 16),
    h("span", null, "Not yet scored: it was added after the last run."),
  );

/**
 * @param {number} confirmed of the class, by people
 * @param {number} shown
 */
function chosenHow(confirmed, shown) {
  if (confirmed >= shown) return "confirmed by people";
  return confirmed ? `${confirmed} confirmed by people` : "the least doubtful";
}

/** @param {ReviewDesk} desk */
function thisSession({ session, data }) {
  const pace = data.progress.seconds_per_image;
  /**
   * @param {string} name
   * @param {string} value
   */
  const fact = (name, value) =>
    h("div", null, h("div", { class: "cap" }, name), h("b", null, value));
  const facts = [
    fact("Time", seconds(Math.max(1, (performance.now() - session.since) / 1000))),
    fact("Median", pace ? seconds(pace) : "–"),
    fact("Answers", count(session.answers)),
  ];
  return section(h("b", null, "This session"), null, h("div", { class: "facts" }, facts));
}

/**
 * @param {ReviewDesk} desk
 * @param {number} most
 */
function answersSection(desk, most) {
  const rows = lastAnswers(desk)
    .slice(0, most)
    .map((answer) => answerLine(desk, answer));
  const hint = rows.length ? h("span", { class: "row" }, cap("Z"), "takes back the last") : null;
  return h(
    "div",
    { class: "sec grow last" },
    h("div", { class: "hd" }, h("b", null, "Your last answers"), gap(), hint),
    rows.length ? h("div", { class: "list" }, rows) : missing("None yet. They appear here."),
  );
}

/**
 * @param {ReviewDesk} desk
 * @param {Answered} answer
 */
function answerLine(desk, answer) {
  const words = h("span", { class: "what" }, answerWords(desk.data.classes, answer));
  const picture = thumb(at(desk.data.urls.thumb, answer.row), "");
  const also = answer.others ? h("span", { class: "cap" }, `× ${count(answer.others + 1)}`) : null;
  return h(
    "div",
    { class: "li" },
    picture,
    words,
    also,
    gap(),
    answer.blind && answer.action === "relabel"
      ? null // a class without a verdict on any label
      : verdict(/** @type {Action} */ (answer.action)),
  );
}

/**
 * @param {string[]} classes
 * @param {Answered} answer
 */
function answerWords(classes, answer) {
  if (answer.blind) return blindWords(classes, answer);
  const given = classes[answer.given];
  if (answer.action === "relabel") {
    const other = named("b", namesIn(classes, answer)[0], {}, 18);
    return [named("span", given, {}, 18), " → ", other];
  }
  if (answer.action === "multiple") {
    return [named("b", namesIn(classes, answer).join(" + "), {}, 34)];
  }
  return [named(answer.action === "keep" ? "b" : "span", given)];
}

/**
 * @param {string[]} classes
 * @param {Answered} answer given without sight of the label
 */
function blindWords(classes, answer) {
  const all = namesIn(classes, answer);
  if (!all.length) return [h("span", { class: "cap" }, "label hidden")];
  return [named("b", all.join(" + "), {}, 34)];
}
