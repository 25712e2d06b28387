// One image and its neighbours, each with its label and verdict in a sentence.

import { isDark } from "../desk/layout.js";
import { h, missing, named, part } from "../desk/nodes.js";
import { at, thumb } from "../desk/pictures.js";
import { oneLine, short, shortName } from "../desk/words.js";

/**
 * @typedef {Object} Chosen
 * @property {number} row
 * @property {string} id
 * @property {string} given
 * @property {string | null} suggested
 *
 * @typedef {Object} Group images of one class
 * @property {string} name
 * @property {"given" | "suggested"} is
 * @property {string} title
 * @property {{ row: number, sentence: string, odd: boolean }[]} images
 *
 * @typedef {{ chosen: Chosen, groups: Group[], words: string, thumb: string }} NearData
 */

/**
 * @param {Object} component
 * @param {NearData} component.data
 * @param {ParentNode} component.parentElement
 * @param {(name: string, value: unknown) => void} component.setTriggerValue
 */
export default function ({ data, parentElement, setTriggerValue }) {
  const root = part(parentElement, ".desk");
  root.classList.toggle("dark", isDark(root));
  /** @param {number} row */
  const jump = (row) => setTriggerValue("opened", row);
  const columns = data.groups.map((group) => column(data, group, jump));
  root.replaceChildren(top(data), h("div", { class: "cols" }, columns));
}

/** @param {NearData} data */
function top({ chosen, words, thumb: template }) {
  const suggested = chosen.suggested
    ? [" → ", named("span", chosen.suggested, { class: "suggested" })]
    : null;
  const facts = [
    h("div", { class: "who" }, named("span", chosen.given), suggested),
    h("div", { class: "m" }, short(chosen.id, 40)),
    h("div", { class: "m" }, words),
  ];
  const picture = thumb(at(template, chosen.row), `labelled ${oneLine(chosen.given)}`);
  return h("div", { class: "top" }, picture, h("div", null, facts));
}

/**
 * @param {NearData} data
 * @param {Group} group
 * @param {(row: number) => void} jump
 */
function column(data, { name, is, title, images }, jump) {
  const whole = { title: oneLine(name), class: is === "suggested" ? "suggested" : null };
  const buttons = images.map(({ row, odd, sentence }) =>
    h(
      "button",
      { type: "button", class: "nb", title: "Show its neighbours", onclick: () => jump(row) },
      thumb(at(data.thumb, row), ""),
      h("span", { class: odd ? "o" : null }, sentence),
    ),
  );
  return h(
    "section",
    { class: "sec" },
    h("div", { class: "hd" }, h("b", whole, shortName(name)), title),
    images.length ? null : missing("No other image has this label."),
    buttons,
  );
}
