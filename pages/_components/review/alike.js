// Images like this one: the nearest of all, and the nearest of both classes.

import { gap, h, named, section } from "../desk/nodes.js";
import { at, thumb } from "../desk/pictures.js";
import { count, plural, short } from "../desk/words.js";
import { isUnlabelled } from "./desk.js";
import { reasonWords } from "./reason.js";
import { togetherButton } from "./together.js";

/**
 * @import { Piece } from "../desk/nodes.js"
 * @import { ReviewDesk } from "./desk.js"
 * @import { Found } from "./evidence.js"
 */

const OF_A_CLASS = 5; // images shown
const COPIES = 6;

/**
 * A thumbnail that says its label and verdict, and opens its image.
 *
 * @param {ReviewDesk} desk
 * @param {Found} found
 * @param {number} row
 * @param {Piece} [under]
 */
function neighbour(desk, found, row, under = null) {
  const said = found.said?.[row] || "";
  /** @param {string} words */
  const tell = (words) => button.closest(".nears")?.querySelector(".said")?.replaceChildren(words);
  const props = {
    type: "button",
    class: "nb",
    title: `${said} Click to open it.`,
    "aria-label": `${said} Opens it.`,
    onclick: () => desk.acts.jump(row),
    onmouseenter: () => tell(said),
    onfocus: () => tell(said),
    onmouseleave: () => tell(""),
    onblur: () => tell(""),
  };
  const button = h("button", props, thumb(at(desk.data.urls.thumb, row), ""), under);
  return button;
}

/**
 * The nearest images. Where both classes have no room of their own (`swap`), a press shows them in
 * place of the nearest of all.
 *
 * @param {ReviewDesk} desk
 * @param {Found} found
 * @param {boolean} [swap]
 */
export function nearest(desk, found, swap = false) {
  const near = found.neighbours;
  if (swap && (desk.look.nearBoth || !near.length)) return nearestOfBoth(desk, found);
  if (!near.length) return null; // what is not here is said at the end
  const [most] = mostFrequent(near.map((each) => each.label));
  const thumbs = near.map((each) =>
    neighbour(desk, found, each.row, under(desk, each.label, each.label === most ? "" : "odd")),
  );
  return h(
    "div",
    { class: "sec nears" },
    head("Nearest images", [], swap ? swapButton(desk, false) : []),
    h("div", { class: "thumbs nbs" }, thumbs),
  );
}

/**
 * Why the label is doubted, under the choices.
 *
 * @param {ReviewDesk} desk
 * @param {Found} found
 */
export function reason(desk, found) {
  const words = isUnlabelled(desk) ? "" : reasonWords(desk.data.classes, found);
  return words ? h("div", { class: "why" }, words) : null;
}

/**
 * The labels that an image came with, where they are several: one of them is certainly wrong.
 *
 * @param {ReviewDesk} desk
 * @param {Found} found
 */
export function listedTwice(desk, found) {
  const { listed = [] } = found;
  if (listed.length < 2) return null;
  const words = listed.flatMap((label, i) => [
    i === 0 ? "" : i === listed.length - 1 ? " and " : ", ",
    named("b", desk.data.classes[label]),
  ]);
  const times = listed.length === 2 ? "twice" : `${listed.length} times`;
  return h("div", { class: "sec listed" }, head(`Listed ${times}`, words, []));
}

/**
 * The same picture, stored again: which labels it carries there.
 *
 * @param {ReviewDesk} desk
 * @param {Found} found
 */
export function samePicture(desk, found) {
  const { copies = [], copies_total: total = 0, copies_labels: labels = [] } = found;
  if (!copies.length) return null;
  const given = Number(desk.queue.item?.given);
  const words = labels.length > 1 ? contradiction(desk, labels) : [sameWords(found)];
  const title = `The same picture, ${count(total + 1)} times`;
  const thumbs = copies.slice(0, COPIES).map((each) => {
    const kind = each.label === given ? "" : "odd";
    const id = h("div", { class: "cap id" }, short(each.id.split("/").at(-1), 16));
    return neighbour(desk, found, each.row, h("div", null, under(desk, each.label, kind), id));
  });
  return h(
    "div",
    { class: "sec nears copies" },
    head(title, [], [gap(), togetherButton(desk)]),
    h("div", { class: "cap reason" }, words),
    h("div", { class: "thumbs nbs" }, thumbs),
  );
}

/** @param {Found} found */
export function sameWords({ copies_corrected: corrected = 0 }) {
  if (!corrected) return "All have the same label.";
  return `All have the same label now: ${plural(corrected, "copy was", "copies were")} corrected.`;
}

/**
 * Why the image comes first: its copies say otherwise.
 *
 * @param {ReviewDesk} desk
 * @param {{ label: number, count: number }[]} labels of all copies, the most frequent first
 * @returns {Piece[]}
 */
function contradiction(desk, labels) {
  /** @type {Piece[]} */
  const parts = labels
    .slice(0, 3)
    .flatMap(({ label, count: times }, i) => [
      i ? ", " : "",
      named("b", desk.data.classes[label], {}, 18),
      ` ${count(times)}`,
    ]);
  const more = labels.length > 3 ? ", …" : "";
  return ["Labelled ", ...parts, `${more}: at least one is certainly wrong.`];
}

/**
 * @param {ReviewDesk} desk
 * @param {Found} found
 */
function nearestOfBoth(desk, found) {
  const { neighbours, exemplars_given, exemplars_suggested, top } = found;
  const given = Number(desk.queue.item?.given);
  /**
   * @param {number[]} rows
   * @param {number} label
   * @param {string} kind
   */
  const thumbs = (rows, label, kind) =>
    rows.slice(0, OF_A_CLASS).map((row) => neighbour(desk, found, row, under(desk, label, kind)));
  return h(
    "div",
    { class: "sec nears" },
    head("Nearest of both classes", [], neighbours.length ? swapButton(desk, true) : []),
    h(
      "div",
      { class: "thumbs nbs" },
      thumbs(exemplars_given, given, "given"),
      top[0] ? thumbs(exemplars_suggested, top[0].label, "suggested") : null,
    ),
  );
}

/**
 * @param {ReviewDesk} desk
 * @param {number} label
 * @param {string} kind
 */
const under = (desk, label, kind) =>
  named("div", desk.data.classes[label], { class: `cap ${kind}` }, 12);

/**
 * @param {string} title
 * @param {Piece[]} words for all of them; in their place stands what is said of one
 * @param {Piece[]} swap
 */
function head(title, words, swap) {
  const said = h("span", { class: "ofall" }, h("span", { class: "said" }), h("span", null, words));
  return h("div", { class: "hd" }, h("b", null, title), said, swap);
}

/**
 * @param {ReviewDesk} desk
 * @param {boolean} both what is shown now
 */
function swapButton(desk, both) {
  /** @param {MouseEvent} event */
  const onclick = (event) => desk.acts.swapNearest(event.detail === 0); // 0: pressed by key
  const props = { type: "button", class: "plainbtn", "aria-pressed": String(both), onclick };
  return [gap(), h("button", props, both ? "of all" : "of both classes")];
}

/**
 * @param {number[]} labels at least one
 * @returns {[number, number]} the most frequent label, of several the first; and how often
 */
export function mostFrequent(labels) {
  /** @type {Map<number, number>} */
  const tally = new Map();
  for (const label of labels) tally.set(label, (tally.get(label) || 0) + 1);
  return [...tally].reduce((best, each) => (each[1] > best[1] ? each : best));
}

/**
 * @param {ReviewDesk} desk
 * @param {Found} found
 */
export function bothClasses(desk, found) {
  const suggested = found.top[0]?.label;
  /**
   * @param {number} label
   * @param {number[]} rows
   * @param {string} kind
   */
  const side = (label, rows, kind) => {
    const thumbs = rows.slice(0, OF_A_CLASS).map((row) => neighbour(desk, found, row));
    const name = named("div", desk.data.classes[label], { class: `lab ${kind}` });
    return h("div", { class: "grow" }, name, h("div", { class: "thumbs alike" }, thumbs));
  };
  const given = Number(desk.queue.item?.given);
  const pair = [
    isUnlabelled(desk) ? null : side(given, found.exemplars_given, "given"),
    suggested === undefined ? null : side(suggested, found.exemplars_suggested, "suggested"),
  ];
  return section(
    h("b", null, isUnlabelled(desk) ? "Most alike as suggested" : "Most alike in both classes"),
    null,
    h("div", { class: "pair" }, pair),
  );
}
