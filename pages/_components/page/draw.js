// Drawing a page: the question, the tiles, the panel beside them.

import { openCopies, timesStored } from "../desk/copies.js";
import { nextKind, waysOn } from "../desk/ends.js";
import { icon } from "../desk/icons.js";
import { focus } from "../desk/keys.js";
import { cap, focusedNear, gap, h, keyButton, missing, named, section } from "../desk/nodes.js";
import { at, fetchAhead, thumb } from "../desk/pictures.js";
import { verdict } from "../desk/verdicts.js";
import { article, oneLine, plural, short } from "../desk/words.js";
import { CODES } from "./marks.js";

/**
 * @import { Item, Said } from "../desk/progress.js"
 * @import { PageDesk } from "./desk.js"
 * @import { Marks } from "./marks.js"
 */

const EXAMPLES = 8;
const THUMB = 128; // px of a thumbnail's longer side

/** @param {PageDesk} desk */
export function drawPage(desk) {
  const { parts, marks, data } = desk;
  parts.root.classList.toggle("nothing", !marks);
  if (!marks) {
    drawEnd(desk);
    return;
  }
  const { items, label } = marks.page;
  const name = data.classes[label];
  parts.q.replaceChildren(
    h("span", null, "Which of these are ", h("b", null, "not"), ` ${article(name)}`),
    named("span", name, { class: "given" }),
    h("span", { class: "meta" }, items.length ? plural(items.length, "image") : ""),
  );
  if (items.length) drawTiles(desk, marks, name);
  else parts.tiles.replaceChildren(...CODES.map(() => h("div", { class: "skeleton" })));
  parts.panel.replaceChildren(...panel(desk, marks).filter((each) => each !== null));
  drawLegend(desk);
}

/** @param {PageDesk} desk */
function drawEnd(desk) {
  const { parts, data, outbox, go, layout } = desk;
  const clear = { type: "button", class: nextKind(data), onclick: () => go("clear") };
  const words = data.filtered
    ? "Nothing left under these filters."
    : "Nothing is left in the queue.";
  const ways = waysOn(desk, layout.acts.L);
  const all = data.filtered ? h("button", clear, "Clear filters") : null;
  parts.q.replaceChildren();
  parts.tiles.replaceChildren(h("div", { class: "end all" }, h("b", null, words), ways, all));
  parts.panel.replaceChildren(gap(), h("div", { class: "foot" }, outbox.saved));
  parts.legend.replaceChildren();
}

/**
 * @param {PageDesk} desk
 * @param {Marks} marks
 * @param {string} name
 */
function drawTiles(desk, marks, name) {
  const { root, tiles } = desk.parts;
  const tabbed = tiles.contains(focusedNear(root));
  const drawn = marks.page.items.map((item, i) => tile(desk, marks, item, i, name));
  tiles.replaceChildren(...drawn);
  if (tabbed) focus(drawn[marks.frame]);
}

/**
 * @param {PageDesk} desk
 * @param {Marks} marks
 * @param {Item} item
 * @param {number} i its place
 * @param {string} name
 */
function tile({ data, pool, layout, acts }, { rows, frame }, item, i, name) {
  const on = rows.has(item.row);
  const image = pool.get(tileUrl(data.urls, item));
  image.alt = `image ${i + 1}, given label ${short(name, 60)}`;
  const not = h("span", null, `not ${article(name)} `, named("span", name, {}, 18));
  const props = {
    type: "button",
    class: `tile${on ? " x" : ""}${i === frame ? " f" : ""}`,
    role: "checkbox",
    "aria-checked": String(on),
    title: oneLine(item.path),
    onclick: () => acts.mark(i),
  };
  const times = item.copies_total ? `× ${timesStored(item)}` : null;
  const copies = times && h("span", { class: "times", title: "stored so often" }, times);
  const before = item.said && !on ? earlierWord(item.said) : null;
  const earlier = before && h("span", { class: "times before" }, before);
  const mark = on ? h("div", { class: "lab" }, icon("close", 15), not) : null;
  return h("button", props, image, cap(layout.tiles[i]), earlier ?? copies, mark);
}

/** @param {Said} said what the image was answered before */
const earlierWord = ({ action }) =>
  action ? verdict(action) : h("span", { class: "v" }, icon("done", 15), "answered");

/**
 * @param {{ image: string, thumb: string }} urls
 * @param {Item} item
 */
const tileUrl = (urls, { row, w, h: height }) =>
  at(w > THUMB || height > THUMB ? urls.image : urls.thumb, row);

/**
 * @param {PageDesk} desk
 * @param {Marks} marks
 */
function panel(desk, marks) {
  const { data, acts, outbox } = desk;
  const { page, rows } = marks;
  const examples = page.exemplars
    .slice(0, EXAMPLES)
    .map((row) => thumb(at(data.urls.thumb, row), "example"));
  const disabled = !page.items.length;
  const press = { type: "button", class: "primary commit", disabled, onclick: acts.commit };
  const keeps = `${page.items.length - rows.size} will be kept`;
  return [
    h(
      "div",
      { class: "q tally" },
      h("b", { class: "num" }, String(rows.size)),
      " marked",
      h("span", { class: "cap" }, keeps),
    ),
    h(
      "div",
      { class: "sec" },
      h("button", press, "Commit page", cap("Enter")),
      h("div", { class: "cap" }, whatFollows(rows.size)),
    ),
    section(
      h("b", null, "What ", named("i", data.classes[page.label], {}, 18), " means here"),
      null,
      examples.length
        ? h("div", { class: "thumbs g4" }, examples)
        : missing("No other sure image of this class."),
    ),
    copiesOf(desk, marks),
    keyMap(desk, marks),
    gap(),
    h("div", { class: "foot" }, outbox.saved),
  ];
}

/**
 * The switch for all copies, where some of the images have copies without an answer.
 *
 * @param {PageDesk} desk
 * @param {Marks} marks
 */
function copiesOf({ acts, layout }, { page, together }) {
  const several = page.items.filter((item) => openCopies(item)).length;
  if (!several) return null;
  const props = {
    type: "button",
    class: `plainbtn together${together ? " on" : ""}`,
    "aria-pressed": String(together),
    onclick: acts.toggleTogether,
  };
  return h(
    "div",
    { class: "sec" },
    h("div", { class: "hd" }, h("b", null, `${plural(several, "image")} stored more than once`)),
    h("button", props, cap(layout.acts.T), "one answer for all copies"),
  );
}

/** @param {number} marked */
export function whatFollows(marked) {
  if (marked === 0) return "Mark what does not belong; the rest is kept.";
  const images =
    marked === 1 ? "The marked image follows" : `The ${marked} marked images follow one by one`;
  return `${images}, with suggestions, at the end of this page.`;
}

/**
 * @param {PageDesk} desk
 * @param {Marks} marks
 */
function keyMap({ layout }, { page, rows }) {
  const caps = layout.tiles.map((letter, i) => {
    const item = page.items[i];
    return h("kbd", { class: !item ? "s" : rows.has(item.row) ? "on" : "" }, letter);
  });
  return h(
    "div",
    { class: "sec keysec" },
    h("div", { class: "hd" }, h("b", null, "Keys lie as the images do")),
    h("div", { class: "keymap", "aria-hidden": "true" }, caps),
    h(
      "div",
      { class: "cap" },
      "Press again to unmark. ",
      cap(layout.acts.H),
      " hold for a larger view.",
    ),
  );
}

/** @param {PageDesk} desk */
function drawLegend({ parts, acts, go, marks, layout }) {
  parts.legend.replaceChildren(
    keyButton("Enter", "commit", acts.commit),
    keyButton("Space", "mark", () => marks && acts.mark(marks.frame)),
    h("span", { class: "plainbtn" }, cap("← ↑ ↓ →", true), "move"),
    keyButton("⌫", "last page back", acts.pageBack),
    keyButton(layout.acts.G, "single", () => go("single")),
    keyButton("?", "all keys", acts.toggleKeys),
  );
}

/**
 * Fetch the pictures of the pages that the server offers.
 *
 * @param {PageDesk} desk
 */
export function prepare({ data, pool }) {
  for (const page of data.pages) {
    for (const item of page.items) pool.get(tileUrl(data.urls, item));
    for (const row of page.exemplars.slice(0, EXAMPLES)) fetchAhead(at(data.urls.thumb, row));
  }
}
