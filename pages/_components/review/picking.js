// Choosing classes from a list: what is found, which row is active, what is marked.

/**
 * @typedef {Object} Picking
 * @property {string[]} names of the classes
 * @property {number} given the given label; not to be picked where one is asked for
 * @property {boolean} several
 * @property {number[]} none labels that are not found
 * @property {number[]} never those of them that are no classes, whatever is typed
 * @property {string} text what the person typed
 * @property {number[]} found labels
 * @property {number} active place in `found`
 * @property {boolean} moved whether the arrows chose it
 * @property {Set<number>} chosen labels marked
 * @property {number} preset the label that came marked and nobody has named yet, else -1
 * @property {string} fresh name of a new class that is offered, "" where none is
 * @property {number} added label of a new class that is marked with others, -1 where none is
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
  const plain = folded(text);
  const places = names.map((name) => {
    if (!words || folded(name) === plain) return 0;
    return name.toLocaleLowerCase().indexOf(words);
  });
  const labels = names
    .map((_, label) => label)
    .filter((label) => places[label] >= 0 && !none.includes(label));
  const begins = labels.filter((label) => places[label] === 0);
  return [...begins, ...labels.filter((label) => places[label] > 0)].slice(0, MOST);
}

/**
 * What of a name tells no classes apart: case, blanks, hyphens between words.
 *
 * @param {string} name
 */
export const folded = (name) =>
  name
    .normalize("NFKC")
    .toLowerCase()
    .trim()
    .replace(/(?<=\p{L})[\s_-]+(?=[\p{L}\p{N}])|(?<=\p{N})[\s_-]+(?=\p{L})/gu, "");

/**
 * @param {Picking} picking
 * @returns {string} the name of the new class that the text would be, "" where there is one
 */
function freshName({ names, none, never, added, text }) {
  const name = text.trim().replace(/\s+/g, " ");
  const twin = names.findIndex((each) => folded(each) === folded(name));
  const offered = names[twin] !== name || !none.includes(twin) || never.includes(twin);
  const there = twin >= 0 && offered;
  return added >= 0 || !name || there ? "" : name;
}

/**
 * Why nothing is found.
 *
 * @param {Picking} picking
 */
export function nothingFound({ names, never, text }) {
  const label = never.find((each) => folded(names[each]) === folded(text));
  if (label === undefined) return "No class of that name.";
  return `${names[label]} is no class. Esc, then U (unsure) or N (none fits).`;
}

/**
 * @param {string[]} names
 * @param {number} given
 * @param {boolean} several
 * @param {number[]} [none] labels that are not found
 * @param {boolean} [ticked] whether the given one is marked at first, where several can be
 * @param {number[]} [never] those of them that are no classes; the others are retired
 * @returns {Picking}
 */
export function openPicking(names, given, several, none = [], ticked = several, never = []) {
  const chosen = new Set(ticked && !none.includes(given) ? [given] : []);
  const rest = { text: "", found: [], active: 0, moved: false, fresh: "", added: -1 };
  const preset = chosen.size ? given : -1;
  const picking = { names, given, several, none, never, chosen, preset, ...rest };
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
  picking.fresh = freshName(picking);
}

/**
 * Move to another row, round the ends.
 *
 * @param {Picking} picking
 * @param {number} by
 */
export function step(picking, by) {
  const n = picking.found.length + Number(picking.fresh !== "");
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
  if (label === picking.preset) picking.preset = -1;
  if (!picking.chosen.delete(label)) picking.chosen.add(label);
  type(picking, "");
}

/**
 * Mark a class by its digit, or by Enter after its name: who names all that are right names the
 * given one too, and its mark, which came by itself, stays the first time.
 *
 * @param {Picking} picking
 * @param {number} label
 */
export function name(picking, label) {
  if (label === picking.preset) picking.chosen.delete(label);
  toggle(picking, label);
}

/**
 * Mark the new class that is offered; an answer brings one at most.
 *
 * @param {Picking} picking
 */
export function markFresh(picking) {
  const { names, none, fresh } = picking;
  const there = names.indexOf(fresh);
  picking.added = there < 0 ? names.push(fresh) - 1 : there;
  picking.none = none.filter((label) => label !== picking.added);
  toggle(picking, picking.added);
}

/**
 * The label of the active row.
 *
 * @param {Picking} picking
 * @returns {number | undefined}
 */
export const activeLabel = ({ found, active }) => found[active];

/**
 * The class that a digit stands for: its key acts until something is typed.
 *
 * @param {Picking} picking
 * @param {(string | null)[]} keys by label
 * @param {string} key
 * @returns {number} -1 where the press is text
 */
export const digitLabel = ({ text }, keys, key) =>
  /^[0-9]$/.test(key) && !text ? keys.indexOf(key) : -1;

/**
 * @param {Picking} picking
 * @returns {number[] | null} the marked classes in their order, a new one last; null while one alone
 *   is marked
 */
export function marked({ chosen, added }) {
  if (chosen.size < 2) return null;
  const old = [...chosen].filter((label) => label !== added).sort((a, b) => a - b);
  return chosen.has(added) ? [...old, added] : old;
}

/**
 * Whether Enter saves what is marked: nothing was typed or moved to since, so it is the second one.
 *
 * @param {Picking} picking
 */
export const enterSaves = (picking) =>
  picking.several && !picking.text.trim() && !picking.moved && marked(picking) !== null;
