// The card under the pointer.

import { h, named } from "../desk/nodes.js";
import { at, thumb } from "../desk/pictures.js";
import { VERDICTS, verdict } from "../desk/verdicts.js";
import { chance, oneLine, short } from "../desk/words.js";
import { drawOver } from "./paint.js";
import { placeOf } from "./state.js";

/** @import { ExploreMap, Facts } from "./state.js" */

const REST = 50; // ms that the pointer rests before facts are asked for
const KEPT = 500; // rows whose facts are kept

/**
 * @param {ExploreMap} map
 * @param {number} row -1 for none
 */
export function hoverOver(map, row) {
  const { parts, hover, tool } = map;
  if (row === hover.row) return;
  hover.row = row;
  parts.field.classList.toggle("hit", row >= 0 && tool !== "move");
  clearTimeout(hover.asking);
  drawOver(map);
  const known = hover.facts.get(row);
  if (row < 0) parts.card.hidden = true;
  else if (known) drawCard(map, row, known);
  else hover.asking = window.setTimeout(() => ask(map, row), REST);
}

/**
 * @param {ExploreMap} map
 * @param {number} row
 */
async function ask(map, row) {
  const { hover, data } = map;
  try {
    const answer = await fetch(at(data.point, row), { credentials: "same-origin" });
    if (!answer.ok) return;
    const facts = await answer.json();
    if (hover.facts.size > KEPT) hover.facts.clear();
    hover.facts.set(row, facts);
    if (hover.row === row) drawCard(map, row, facts);
  } catch {
    // gone offline: the next one will tell
  }
}

/**
 * @param {ExploreMap} map
 * @param {number} row
 * @param {Facts} facts
 */
function drawCard(map, row, facts) {
  const { card } = map.parts;
  const { width, height } = map.canvas;
  const picture = thumb(at(map.data.thumb, row), `labelled ${oneLine(facts.given)}`);
  card.replaceChildren(picture, h("div", null, lines(facts)));
  card.hidden = false;
  const [x, y] = placeOf(map, row) ?? [0, 0];
  const { offsetWidth: wide, offsetHeight: tall } = card;
  const left = x + 16 + wide < width ? x + 16 : x - 16 - wide;
  card.style.left = `${Math.max(2, left)}px`;
  card.style.top = `${Math.min(Math.max(2, y - tall / 2), Math.max(2, height - tall - 2))}px`;
}

/** @param {Facts} facts */
function lines({ id, given, suggested, p_wrong, told, verdict: said }) {
  const other = suggested ? [" → ", named("span", suggested, { class: "suggested" }, 20)] : null;
  const scored = p_wrong === null ? null : `p wrong ${chance(p_wrong)}`;
  const wrong = told ? "no score: a run was told the answer" : scored;
  return [
    h("div", { class: "who" }, named("span", given, {}, 20), other),
    h("div", { class: "m" }, short(id, 34)),
    wrong && h("div", { class: "m" }, wrong),
    said && VERDICTS[said] ? h("div", null, verdict(said)) : null,
  ];
}
