// The class picker: `/` for one class, `M` for several. It is a text field, so review keys rest.

import { classKeys } from "../desk/classes.js";
import { icon } from "../desk/icons.js";
import { focus } from "../desk/keys.js";
import { cap, gap, h, missing, named, roomy } from "../desk/nodes.js";
import { oneLine, plural } from "../desk/words.js";
import { IS_GIVEN } from "./choosing.js";
import {
  activeLabel,
  digitLabel,
  enterSaves,
  marked,
  markFresh,
  name,
  nothingFound,
  openPicking,
  step,
  toggle,
  type,
} from "./picking.js";

/**
 * @import { Classes } from "../desk/classes.js"
 * @import { Item } from "../desk/progress.js"
 * @import { Picking } from "./picking.js"
 *
 * @typedef {Object} Picker
 * @property {Picking} picking
 * @property {(string | null)[]} keys by label
 * @property {HTMLInputElement} field
 * @property {HTMLElement} list
 * @property {HTMLButtonElement} save
 * @property {HTMLElement} does what Enter does now
 * @property {HTMLElement} box
 * @property {Chosen} tell
 *
 * @typedef {Object} Chosen what the picker tells
 * @property {() => void} closed
 * @property {(label: number) => void} one
 * @property {(labels: number[], fresh: string) => void} several the last of them is new where it
 *   has a name
 * @property {(name: string) => void} fresh a class that is not there yet
 * @property {(words: string) => void} refused why a key does not choose
 */

/**
 * @param {Classes & { never: number[], retired: number[] }} offered `never` are labels that are no
 *   classes, `retired` classes that come back by their name alone: none of them is in the list
 * @param {Item} item
 * @param {boolean} ticked whether the given class is marked at first
 * @param {boolean} several
 * @param {Chosen} tell
 * @returns {Picker}
 */
export function newPicker(offered, item, ticked, several, tell) {
  const { classes, never } = offered;
  const none = [...never, ...offered.retired];
  const keys = classKeys(offered) ?? classes.map(() => null);
  const picking = openPicking(classes.map(oneLine), item.given, several, none, ticked, never);
  const finish = () => save(picker);
  const nodes = frame(classes.length - none.length, several, tell.closed, finish);
  const picker = { picking, keys, tell, ...nodes };
  picker.field.oninput = () => {
    type(picking, picker.field.value);
    draw(picker);
  };
  picker.field.onkeydown = (event) => pressKey(picker, event);
  return picker;
}

/** @param {Picker} picker */
export function startPicker(picker) {
  draw(picker);
  const { field } = picker;
  field.focus();
  // Below the picture, as on a telephone, the classes would stand under the window's edge.
  const low = field.getBoundingClientRect().bottom > 0.75 * window.innerHeight;
  if (low) field.scrollIntoView({ block: "center" });
}

/** @param {Picker} picker */
function save({ picking, tell }) {
  const labels = marked(picking);
  if (!labels) return;
  const { names, chosen, added } = picking;
  tell.closed();
  tell.several(labels, chosen.has(added) ? names[added] : "");
}

/**
 * @param {Picker} picker
 * @param {number | undefined} label
 * @param {typeof toggle} mark what a press does to it, where several are right
 */
function pick(picker, label, mark = name) {
  const { picking, tell, field } = picker;
  if (label === undefined) {
    if (!picking.fresh) {
      tell.refused(nothingFound(picking));
      return;
    }
    if (picking.several) {
      markFresh(picking);
      picker.keys.length = picking.names.length;
      field.value = "";
      startPicker(picker);
      return;
    }
    tell.closed();
    tell.fresh(picking.fresh);
  } else if (picking.several) {
    mark(picking, label);
    field.value = picking.text;
    startPicker(picker);
  } else if (label === picking.given) tell.refused(IS_GIVEN);
  else {
    tell.closed();
    tell.one(label);
  }
}

/**
 * @param {Picker} picker
 * @param {number} label
 */
function pickByKey(picker, label) {
  const { names, none } = picker.picking;
  if (none.includes(label)) picker.tell.refused(`${names[label]} is no class.`);
  else pick(picker, label);
}

/**
 * @param {Picker} picker
 * @param {KeyboardEvent} event
 */
function pressKey(picker, event) {
  const { picking, tell, keys } = picker;
  event.stopPropagation();
  const modified = event.ctrlKey || event.metaKey || event.altKey;
  const digit = modified || event.repeat ? -1 : digitLabel(picking, keys, event.key);
  const isEnter = event.key === "Enter";
  const down = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (isEnter && event.repeat) {
    event.preventDefault(); // held down: it would mark, take back and save in turn
    return;
  }
  if (event.key === "Escape") tell.closed();
  else if (isEnter && picking.several && (event.ctrlKey || event.metaKey)) save(picker);
  else if (isEnter && !event.isComposing) {
    if (enterSaves(picking)) save(picker);
    else pick(picker, activeLabel(picking), picking.moved ? toggle : name);
  } else if (digit >= 0) pickByKey(picker, digit);
  else if (down) {
    step(picking, down);
    draw(picker);
  } else return;
  event.preventDefault();
}

const TYPED = new Set(["Enter", "ArrowUp", "ArrowDown", "Backspace", "Delete"]);

/**
 * A key that was pressed beside the field: it goes where the person types, and is no answer.
 *
 * @param {Picker} picker
 * @param {KeyboardEvent} event
 */
export function typeOn(picker, event) {
  if (event.key.length > 1 && !TYPED.has(event.key)) return; // Tab, Shift
  focus(picker.field);
  pressKey(picker, event);
}

/** @param {Picker} picker */
function draw(picker) {
  const { picking, field, list, save: button } = picker;
  const { found, active, chosen } = picking;
  const rows = found.map((label, i) => option(picker, label, i));
  if (picking.fresh) rows.push(newOption(picker, found.length));
  list.replaceChildren(...(rows.length ? rows : [missing(nothingFound(picking))]));
  if (rows.length) field.setAttribute("aria-activedescendant", `picker-${active}`);
  list.children[active]?.scrollIntoView({ block: "nearest" });
  picker.does.textContent = enterSaves(picking) ? " saves" : " marks";
  button.disabled = marked(picking) === null;
  button.textContent = button.disabled ? "Mark two or more" : `Save ${chosen.size} classes`;
}

/**
 * The row that makes a class of what was typed.
 *
 * @param {Picker} picker
 * @param {number} i its place in the list
 */
function newOption(picker, i) {
  const { fresh, active } = picker.picking;
  const props = {
    class: `option fresh${i === active ? " active" : ""}`,
    id: `picker-${i}`,
    role: "option",
    "aria-selected": String(i === active),
    onclick: () => pick(picker, undefined),
  };
  return h("div", props, "new class ", named("b", fresh, {}, 40));
}

/**
 * @param {Picker} picker
 * @param {number} label
 * @param {number} i its place in the list
 */
function option(picker, label, i) {
  const { picking, keys } = picker;
  const { names, several, given, chosen, active } = picking;
  const isGiven = label === given;
  const on = chosen.has(label);
  const key = keys[label] ?? null;
  const props = {
    class: `option${i === active ? " active" : ""}${on ? " chosen" : ""}`,
    id: `picker-${i}`,
    role: "option",
    "aria-selected": String(several ? on : i === active),
    "aria-disabled": isGiven && !several ? "true" : null,
    onclick: () => pick(picker, label, toggle),
  };
  return h(
    "div",
    props,
    several ? h("span", { class: "box" }, on ? icon("check", 14) : null) : null,
    key === null ? null : cap(key, true),
    roomy(names[label]),
    gap(),
    isGiven ? h("span", { class: "cap" }, "given") : null,
  );
}

/**
 * @param {number} n classes
 * @param {boolean} several
 * @param {() => void} close
 * @param {() => void} finish
 */
function frame(n, several, close, finish) {
  const title = several ? "Which classes are right?" : "Which class is it?";
  const field = h("input", {
    type: "text",
    class: "search",
    placeholder: `Search ${plural(n, "class", "classes")}`,
    autocomplete: "off",
    spellcheck: "false",
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "picker-list",
    "aria-label": "Search classes",
  });
  const list = h("div", {
    class: "options",
    id: "picker-list",
    role: "listbox",
    "aria-multiselectable": several ? "true" : null,
  });
  const button = h("button", { type: "button", class: "primary", onclick: finish });
  const closing = { type: "button", class: "plainbtn", onclick: close, "aria-label": "Close" };
  const does = h("span", { class: "does" });
  const foot = several
    ? [h("span", { class: "cap" }, cap("Enter"), does), gap(), button]
    : [h("span", { class: "cap" }, cap("Enter"), " takes it, ", cap("↑"), cap("↓"), " move")];
  const box = h(
    "div",
    { class: "picker", role: "dialog", "aria-label": title },
    h("div", { class: "sheethead" }, h("b", null, title), h("button", closing, cap("Esc"))),
    field,
    list,
    h("div", { class: "pickfoot" }, foot),
  );
  return { field, list, save: button, does, box };
}
