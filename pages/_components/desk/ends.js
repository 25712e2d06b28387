// Where a queue ends: the ways on, to what was put off and to what people have to settle.

import { heldWords, h } from "./nodes.js";
import { waitsButton } from "./left.js";
import { plural } from "./words.js";

/**
 * @import { Progress } from "./progress.js"
 *
 * @typedef {{ put_off: number, disagreements: number, unsure: number, accepts?: boolean }} Ends
 *   images still open, sent once the server has no more for the queue; `accepts`: whether the page
 *   offers suggestions to be accepted, which is the next act then
 */

/**
 * The look of a button that leads on at the end of a queue: a page has one primary button.
 *
 * @param {{ ends?: Ends }} data
 */
export const nextKind = ({ ends }) => (ends?.accepts ? "plainact" : "primary");

/**
 * What waits on Team, in words; empty where nothing does.
 *
 * @param {Ends | undefined} ends
 */
export function teamWords(ends) {
  const { disagreements = 0, unsure = 0 } = ends ?? {};
  return [
    disagreements ? `${plural(disagreements, "disagreement")} to settle` : "",
    unsure ? plural(unsure, "unsure image") : "",
  ]
    .filter(Boolean)
    .join(", ");
}

/**
 * What others hold, and the ways on.
 *
 * @param {{ data: { held: number, progress: Progress, ends?: Ends }, go: (where: string) => void }} desk
 * @param {string} [key] that leads to what was put off
 */
export function waysOn({ data, go }, key) {
  const team = teamWords(data.ends);
  const press = { type: "button", class: "plainact", onclick: () => go("team") };
  return [
    heldWords(data.held),
    waitsButton(data.progress, () => go("waits"), "plainact", key, Boolean(data.ends?.put_off)),
    team ? h("button", press, `Team: ${team}`) : null,
  ];
}
