// "Which class is it?": the suggestions with their keys, and the other answers.

import { classKeys } from "../desk/classes.js";
import { cap, gap, h, isLong, keyButton, roomy } from "../desk/nodes.js";
import { chance } from "../desk/words.js";
import { SUGGESTED } from "./choosing.js";
import { isUnlabelled, takesNothing } from "./desk.js";

/**
 * @import { ReviewDesk } from "./desk.js"
 * @import { Found, Option } from "./evidence.js"
 */

const WRONG_FIRST = "The label is probably right: Enter takes this class only after W.";
const P_WRONG = "The chance that the label is wrong, as all methods together have it.";
const SHARES = "If the label is wrong: how often it would be each of these.";

/**
 * @param {ReviewDesk} desk
 * @param {Found | null} found null while it comes, or where it cannot
 */
export function choices(desk, found) {
  const judged = isUnlabelled(desk) ? null : found; // no label, so none that could be wrong
  const said = judged && chanceWords(judged);
  const wrong =
    said &&
    h(
      "span",
      { class: "badge", title: P_WRONG },
      said,
      h("span", { class: "ifso" }, judged && ifSoWords(judged)),
    );
  const hasty = takesNothing(desk);
  const rows = found
    ? found.top.slice(0, SUGGESTED).map((option, i) => choice(desk, option, i, hasty))
    : Array.from({ length: SUGGESTED }, () =>
        h("div", { class: "choice idle" }, h("span", { class: "skeleton" })),
      );
  const long = found?.top.some(({ label }) => isLong(desk.data.classes[label]));
  const { acts } = desk;
  const others = h(
    "div",
    { class: "choice other" },
    keyButton("/", "other class", () => acts.pickClass(false), false),
    keyButton("M", "multiple", () => acts.pickClass(true), false),
    keyButton("N", "none fits", () => acts.answer("none"), false),
    keyButton("U", "unsure", () => acts.answer("unsure"), false),
  );
  return h(
    "div",
    { class: "sec" },
    h("div", { class: "hd big" }, h("b", null, "Which class is it?"), gap(), wrong),
    h(
      "div",
      { class: `choices${long ? " long" : ""}`, title: rows.length && judged ? SHARES : null },
      rows,
      others,
    ),
  );
}

/**
 * What stands above the suggestions.
 *
 * @param {Pick<Found, "p_wrong" | "told">} found
 */
export function chanceWords({ p_wrong: p, told }) {
  if (told) return "no score: a run was told the answer";
  return p === null ? "not yet scored" : `p wrong ${chance(p)}`;
}

/**
 * The shares of the suggestions are of the case that the label is wrong: said where there are any.
 *
 * @param {Pick<Found, "p_wrong" | "told" | "top">} found
 */
export const ifSoWords = ({ p_wrong: p, told, top }) =>
  told || p === null || !top.length ? "" : ", shares if wrong";

/**
 * @param {ReviewDesk} desk
 * @param {Option} option
 * @param {number} i its place
 * @param {boolean} hasty whether Enter takes none of them before a Wrong
 */
function choice(desk, { label, prob, said }, i, hasty) {
  const first = i === 0 && !hasty;
  const keys = classKeys(desk.data);
  const key = keys ? (keys[label] ?? null) : String(i + 1);
  const onclick = () => desk.acts.relabel(label);
  const title = i === 0 && hasty ? WRONG_FIRST : null;
  return h(
    "button",
    { type: "button", class: `choice ${first ? "first" : ""}`, onclick, title },
    key === null ? h("span") : cap(key),
    roomy(desk.data.classes[label], "name"),
    h("span", { class: "bar" }, h("i", { style: { width: `${100 * prob}%` } })),
    h("span", { class: "num" }, said),
    h(
      "span",
      { class: "h" },
      i === 0 ? (hasty ? [cap("W", true), " ", cap("Enter", true)] : cap("Enter")) : null,
    ),
  );
}
