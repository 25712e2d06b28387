// One answer for all copies of a picture: the switch, its words, and the copies before the answer.

import { openCopies, timesStored } from "../desk/copies.js";
import { cap, h, section } from "../desk/nodes.js";
import { at, thumb } from "../desk/pictures.js";
import { count } from "../desk/words.js";

/**
 * @import { Item } from "../desk/progress.js"
 * @import { ReviewDesk } from "./desk.js"
 */

const SHOWN = 10;

/**
 * @param {ReviewDesk} desk
 * @returns {HTMLElement | null} nothing where no copy waits for an answer
 */
export function togetherButton(desk) {
  const open = openCopies(desk.queue.item);
  if (!open) return null;
  const on = desk.turn.together;
  const props = {
    type: "button",
    class: `plainbtn together${on ? " on" : ""}`,
    "aria-pressed": String(on),
    onclick: desk.acts.toggleTogether,
  };
  return h("button", props, cap("T"), `one answer for ${open === 1 ? "both" : `all ${open + 1}`}`);
}

/**
 * The copies before the answer: pictures, no labels, which would tell what to say.
 *
 * @param {ReviewDesk} desk
 * @param {Item} item
 */
export function copiesBefore(desk, item) {
  const { copies = [], copies_total: total = 0 } = item;
  if (!total) return null;
  const images = copies
    .slice(0, SHOWN)
    .map((row) => thumb(at(desk.data.urls.thumb, row), "the same picture, stored again"));
  return section(
    h("b", null, `The same picture, stored ${count(timesStored(item))} times`),
    togetherButton(desk) ?? h("span", { class: "cap" }, "the others have answers"),
    h("div", { class: "thumbs nbs" }, images),
  );
}
