// Keys and focus: which press is meant for the component.

import { icon } from "./icons.js";
import { cap, h } from "./nodes.js";

const NOT_TEXT = new Set([
  "checkbox",
  "radio",
  "range",
  "button",
  "submit",
  "reset",
  "color",
  "file",
  "image",
]);
/** What stands over the desk until it is closed; a toast says that it does not. */
const OVER = '[role="dialog"], [role="alertdialog"]:not([aria-modal="false"])';
const TAKES_ENTER =
  'button, a[href], summary, [role="button"], [role="radio"], [role="option"], [role="tab"]';

/**
 * @param {any} node
 * @returns {boolean}
 */
export function isTextField(node) {
  if (!node || !node.tagName) return false;
  if (node.tagName === "INPUT") return !NOT_TEXT.has(node.type);
  return (
    node.tagName === "TEXTAREA" || node.tagName === "SELECT" || Boolean(node.isContentEditable)
  );
}

/**
 * The key that is pressed, a letter in lower case. Where the layout has other letters than Latin
 * ones, or vowel signs, it is what stands at that place on a Latin keyboard; Hebrew has no letter in
 * the place of W. Keys of named words (Enter, Dead) are Latin and stay.
 *
 * @param {Pick<KeyboardEvent, "key" | "code">} event
 */
export function keyOf({ key, code }) {
  const place = /^Key([A-Z])$/.exec(code)?.[1].toLowerCase();
  const other = /^[\p{L}\p{M}]+$/u.test(key) && !/\p{Script=Latin}/u.test(key);
  if (place && (other || (key === "'" && place === "w"))) return place;
  return key.length === 1 ? key.toLowerCase() : key;
}

/**
 * Whether a key press is meant for the component, and nothing stands over it.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} root
 */
export const isForUs = (event, root) => isMeant(event, root) && !document.querySelector(OVER);

/**
 * Why a press that would be meant for the component is not.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} root
 * @returns {string} the reason; empty where nothing is to be said
 */
export function coveredBy(event, root) {
  const over = document.querySelector(OVER);
  if (!over || !isMeant(event, root)) return "";
  const within = event.composedPath().some((node) => /** @type {any} */ (node).matches?.(OVER));
  if (event.key === " " || (within && event.key.length > 1)) return ""; // arrows scroll there
  return "something else is open; Esc closes it";
}

/**
 * Never from a text field, from a key held down, or with a modifier (Ctrl+Z apart, without Shift);
 * Enter and Space belong to a focused control.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} root
 */
function isMeant(event, root) {
  if (event.repeat || event.isComposing || event.altKey || event.metaKey) return false;
  if (event.ctrlKey && (event.shiftKey || keyOf(event) !== "z")) return false;
  const path = event.composedPath();
  if (path.some(isTextField)) return false;
  if (event.key !== "Enter" && event.key !== " ") return true;
  return !path.some((node) => node !== root && /** @type {any} */ (node).matches?.(TAKES_ENTER));
}

/**
 * Take the focus where no one types, so that keys work at once after a click elsewhere.
 *
 * @param {HTMLElement} root
 */
export function takeFocus(root) {
  const active = document.activeElement;
  if (active && isTextField(active) && active.getAttribute("role") !== "combobox") return;
  if (document.querySelector('[role="dialog"], [data-testid="stPopoverBody"]')) return;
  focus(root);
}

/** @param {HTMLElement | undefined} node */
export const focus = (node) => node?.focus({ preventScroll: true });

/**
 * The component has the focus most of the time; its ring is drawn for those who came by Tab.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} root
 */
export function noteTab(event, root) {
  if (event.key === "Tab") root.classList.add("tabbed");
}

/**
 * A focused button is pressed once by Enter, however long the key is held down.
 *
 * @param {KeyboardEvent} event
 * @param {HTMLElement} root
 */
export function pressOnce(event, root) {
  const ours = event.composedPath().includes(root);
  if (ours && event.repeat && event.key === "Enter") event.preventDefault();
}

/**
 * A click must not leave the focus on a button: Enter would press it again.
 *
 * @param {MouseEvent} event
 * @param {HTMLElement} root
 * @param {HTMLElement} [field] that has the focus as long as it is there
 */
export function keepFocus(event, root, field = root) {
  if (isTextField(event.composedPath()[0])) return;
  event.preventDefault();
  root.classList.remove("tabbed");
  focus(field);
}

const ALL_KEYS = "All keys";

/**
 * The list of all keys, over the component.
 *
 * @typedef {[string[], string]} KeyRow keys, and what they do
 * @param {KeyRow[]} rows
 * @param {() => void} close
 * @param {string} [note] stands below them
 */
export function keysOverlay(rows, close, note = "") {
  const button = { class: "plainbtn", type: "button", onclick: close, "aria-label": "Close" };
  const list = rows.map(([keys, words]) =>
    h("div", null, h("span", null, ...keys.map((key) => cap(key))), h("span", null, words)),
  );
  const dialog = { role: "dialog", "aria-modal": "true", "aria-label": ALL_KEYS };
  return h(
    "div",
    { class: "overlay", ...dialog },
    h(
      "div",
      { class: "sheet" },
      h("div", { class: "sheethead" }, h("b", null, ALL_KEYS), h("button", button, icon("close"))),
      h("div", { class: "keylist" }, list),
      note ? h("p", { class: "cap" }, note) : null,
    ),
  );
}

/**
 * Opens the list of keys, or closes it.
 *
 * @param {HTMLElement} root
 * @param {() => KeyRow[]} rows
 * @param {string} [note] stands below them
 */
export function toggleKeys(root, rows, note = "") {
  const open = openKeys(root);
  open?.remove();
  if (open?.getAttribute("aria-label") === ALL_KEYS) return;
  root.append(keysOverlay(rows(), () => toggleKeys(root, rows), note));
}

/**
 * What covers the component: the list of keys, or another.
 *
 * @param {HTMLElement} root
 * @returns {HTMLElement | null}
 */
export const openKeys = (root) => root.querySelector(":scope > .overlay");

/**
 * Take away what covers the component.
 *
 * @param {HTMLElement} root
 */
export function uncover(root) {
  openKeys(root)?.remove();
  focus(root);
}

/**
 * What a key does while something covers the component: a button there says so by `data-key`.
 *
 * @param {Element} over
 * @param {string} key
 * @param {{ toggleKeys: () => void, refuse: (reason: string) => void }} acts
 * @returns {(() => void) | undefined}
 */
export function actOver(over, key, { toggleKeys, refuse }) {
  if (key === "?") return toggleKeys;
  const buttons = /** @type {HTMLElement[]} */ ([...over.querySelectorAll("[data-key]")]);
  const button = buttons.find((each) => each.dataset.key === key);
  if (button) return () => button.click();
  if (key.length > 1 && key !== "Enter") return undefined; // arrows scroll
  return () => refuse(`${over.getAttribute("aria-label")} is open; Esc closes it`);
}
