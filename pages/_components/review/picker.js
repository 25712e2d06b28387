// The class picker: `/` for one class, `M` for several. It is a text field, so review keys rest.

import { classKeys } from "../desk/classes.js";
import { icon } from "../desk/icons.js";
import { cap, gap, h, missing, named } from "../desk/nodes.js";
import { oneLine, plural } from "../desk/words.js";
import { search } from "./search.js";

/**
 * @import { Item } from "../desk/progress.js"
 *
 * @typedef {Object} Picker
 * @property {HTMLElement} box
 * @property {() => void} start draw the list and take the focus
 *
 * @typedef {Object} Chosen what the picker tells
 * @property {() => void} closed
 * @property {(label: number) => void} one
 * @property {(labels: number[]) => void} several
 *
 * @typedef {Object} Frame its nodes
 * @property {HTMLInputElement} field
 * @property {HTMLElement} list
 * @property {HTMLButtonElement} save
 * @property {HTMLElement} box
 */

/**
 * @param {string[]} classes
 * @param {Item} item
 * @param {boolean} several
 * @param {Chosen} tell
 * @returns {Picker}
 */
export function newPicker(classes, item, several, tell) {
  const keys = classKeys(classes);
  const names = classes.map(oneLine);
  /** @type {Set<number>} */
  const chosen = new Set(several ? [item.given] : []);
  /** @type {number[]} */
  let found = [];
  let active = 0;
  let moved = false; // whether the arrows chose the active row
  const frame = newFrame(names.length, several, tell.closed, finish);
  const { field, list, save } = frame;

  function finish() {
    if (chosen.size < 2) return;
    tell.closed();
    tell.several([...chosen].sort((a, b) => a - b));
  }

  /** @param {number} label */
  function pick(label) {
    if (several) {
      if (!chosen.delete(label)) chosen.add(label);
      field.value = "";
      draw();
      field.focus();
    } else if (label !== item.given) {
      tell.closed();
      tell.one(label);
    }
  }

  function draw() {
    found = search(names, field.value);
    active = Math.max(
      0,
      found.findIndex((label) => several || label !== item.given),
    );
    moved = false;
    show();
  }

  function show() {
    const rows = found.map((label, i) => option(label, i));
    list.replaceChildren(...(rows.length ? rows : [missing("No class of that name.")]));
    if (rows.length) field.setAttribute("aria-activedescendant", `picker-${active}`);
    list.children[active]?.scrollIntoView({ block: "nearest" });
    save.textContent = chosen.size < 2 ? "Mark two or more" : `Save ${chosen.size} classes`;
    save.disabled = chosen.size < 2;
  }

  /**
   * @param {number} label
   * @param {number} i
   */
  function option(label, i) {
    const isGiven = label === item.given;
    const on = chosen.has(label);
    const props = {
      class: `option${i === active ? " active" : ""}${on ? " chosen" : ""}`,
      id: `picker-${i}`,
      role: "option",
      "aria-selected": String(several ? on : i === active),
      "aria-disabled": isGiven && !several ? "true" : null,
      onclick: () => pick(label),
    };
    return h(
      "div",
      props,
      several ? h("span", { class: "box" }, on ? icon("check", 14) : null) : null,
      keys ? cap(keys[label], true) : null,
      named("span", names[label], {}, 40),
      gap(),
      isGiven ? h("span", { class: "cap" }, "given") : null,
    );
  }

  function enter() {
    const again = several && !field.value.trim() && !moved && chosen.size > 1; // a second Enter
    if (again) finish();
    else if (found.length) pick(found[active]);
  }

  /** @param {number} by */
  function step(by) {
    active = (active + by + found.length) % Math.max(found.length, 1);
    moved = true;
    show();
  }

  field.oninput = draw;
  field.onkeydown = (event) => {
    event.stopPropagation();
    const isEnter = event.key === "Enter";
    if (event.key === "Escape") tell.closed();
    else if (isEnter && several && (event.ctrlKey || event.metaKey)) finish();
    else if (isEnter && !event.isComposing) enter();
    else if (event.key === "ArrowDown") step(1);
    else if (event.key === "ArrowUp") step(-1);
    else return;
    event.preventDefault();
  };
  return {
    box: frame.box,
    start() {
      draw();
      field.focus();
    },
  };
}

/**
 * @param {number} n classes
 * @param {boolean} several
 * @param {() => void} close
 * @param {() => void} finish
 * @returns {Frame}
 */
function newFrame(n, several, close, finish) {
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
  const many = several ? "true" : null;
  const list = h("div", {
    class: "options",
    id: "picker-list",
    role: "listbox",
    "aria-multiselectable": many,
  });
  const save = h("button", { type: "button", class: "primary", onclick: finish });
  const closing = { type: "button", class: "plainbtn", onclick: close, "aria-label": "Close" };
  const foot = several
    ? [h("span", { class: "cap" }, cap("Enter"), " marks, once more saves"), gap(), save]
    : [h("span", { class: "cap" }, cap("Enter"), " takes it, ", cap("↑"), cap("↓"), " move")];
  const box = h(
    "div",
    { class: "picker", role: "dialog", "aria-label": title },
    h("div", { class: "sheethead" }, h("b", null, title), h("button", closing, cap("Esc"))),
    field,
    list,
    h("div", { class: "pickfoot" }, foot),
  );
  return { field, list, save, box };
}
