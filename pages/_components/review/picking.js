// Choosing classes from a list: what is found, which row is active, what is marked.

/**
 * @typedef {Object} Picking
 * @property {string[]} names of the classes
 * @property {number} given the given label; not to be picked where one is asked for
 * @property {boolean} several
 * @property {number[]} none labels that are no classes
 * @property {string} text what the person typed
 * @property {number[]} found labels
 * @property {number} active place in `found`
 * @property {boolean} moved whether the arrows chose it
 * @property {Set<number>} chosen labels marked
 */

const MOST = 200; // rows drawn; the search narrows longer lists

/**
 * @param {string[]} names
 * @param {string} text what the person typed
 * @param {number[]} [none] labels that are never found
 * @returns {number[]} labels: names that begin so first, then names that hold it; no more than 200
 */
export function search(names, text, none = []) {
  const words = text.trim().toLocaleLowerCase();
  const places = names.map((name) => (words ? name.toLocaleLowerCase().indexOf(words) : 0));
  const labels = names
    .map((_, label) => label)
    .filter((label) => places[label] >= 0 && !none.includes(label));
  const begins = labels.filter((label) => places[label] === 0);
  return [...begins, ...labels.filter((label) => places[label] > 0)].slice(0, MOST);
}

/**
 * @param {string[]} names
 * @param {number} given
 * @param {boolean} several
 * @param {number[]} [none] labels that are no classes
 * @returns {Picking}
 */
export function openPicking(names, given, several, none = []) {
  const chosen = new Set(several && !none.includes(given) ? [given] : []);
  const rest = { text: "", found: [], active: 0, moved: false };
  const picking = { names, given, several, none, chosen, ...rest };
  type(picking, "");
  return picking;
}

/**
 * @param {Picking} picking
 * @param {string} text
 */
export function type(picking, text) {
  const { names, given, several, none } = picking;
  picking.text = text;
  picking.found = search(names, text, none);
  const first = picking.found.findIndex((label) => several || label !== given);
  picking.active = Math.max(0, first);
  picking.moved = false;
}

/**
 * Move to another row, round the ends.
 *
 * @param {Picking} picking
 * @param {number} by
 */
export function step(picking, by) {
  const n = picking.found.length;
  picking.active = (picking.active + by + n) % Math.max(n, 1);
  picking.moved = true;
}

/**
 * Mark a class, or take its mark away; the search begins anew.
 *
 * @param {Picking} picking
 * @param {number} label
 */
export function toggle(picking, label) {
  if (!picking.chosen.delete(label)) picking.chosen.add(label);
  type(picking, "");
}

/**
 * The label of the active row.
 *
 * @param {Picking} picking
 * @returns {number | undefined}
 */
export const activeLabel = ({ found, active }) => found[active];

/**
 * @param {Picking} picking
 * @returns {number[] | null} the marked classes in their order, null while one alone is marked
 */
export const marked = ({ chosen }) => (chosen.size < 2 ? null : [...chosen].sort((a, b) => a - b));

/**
 * Whether Enter saves what is marked: nothing was typed or moved to since, so it is the second one.
 *
 * @param {Picking} picking
 */
export const enterSaves = (picking) =>
  picking.several && !picking.text.trim() && !picking.moved && marked(picking) !== null;
