// Page mode: twelve images of one given class; mark those that are not.

import { keepFocus, noteTab, takeFocus } from "../desk/keys.js";
import { fitHeight, isDark } from "../desk/layout.js";
import { receiveAcks, startOutbox, waitingIn } from "../desk/outbox.js";
import { lastByRow } from "../desk/progress.js";
import { actsOf, drawAround, offer } from "./acts.js";
import { newDesk } from "./desk.js";
import { drawPage, prepare } from "./draw.js";
import { pressKey } from "./keyboard.js";
import { CODES } from "./marks.js";

/**
 * @import { Entry } from "../desk/journal.js"
 * @import { PageData, PageDesk } from "./desk.js"
 * @typedef {{ desk: PageDesk, attach: () => void, detach: () => void }} Mounted
 */

/** @type {WeakMap<ParentNode, Mounted>} */
const mounted = new WeakMap();

/**
 * @param {ParentNode} parent
 * @param {PageData} data
 * @returns {Mounted}
 */
function mount(parent, data) {
  const desk = /** @type {PageDesk} */ (newDesk(parent, data));
  desk.acts = actsOf(desk);
  const { root } = desk.parts;
  /** @param {KeyboardEvent} event */
  const onkey = (event) => {
    noteTab(event, root);
    pressKey(desk, event);
  };
  /** @param {KeyboardEvent} event */
  const onup = (event) => {
    if (event.key.toLowerCase() === "h") desk.acts.shrink();
  };
  const onresize = () => fitHeight(root);
  const onblur = () => desk.acts.shrink();
  root.onmousedown = (event) => keepFocus(event, root);
  readLayout(desk);
  let attached = false;
  return {
    desk,
    attach() {
      if (attached) return; // Streamlit may take the component away and give back the same element
      attached = true;
      document.addEventListener("keydown", onkey, true);
      document.addEventListener("keyup", onup, true);
      window.addEventListener("blur", onblur);
      window.addEventListener("resize", onresize);
      startOutbox(desk.outbox);
    },
    detach() {
      attached = false;
      document.removeEventListener("keydown", onkey, true);
      document.removeEventListener("keyup", onup, true);
      window.removeEventListener("blur", onblur);
      window.removeEventListener("resize", onresize);
      desk.outbox.sync.stop();
    },
  };
}

/**
 * Keycaps say what is printed on the keys of this person's keyboard, where the browser tells.
 *
 * @param {PageDesk} desk
 */
async function readLayout(desk) {
  const { keyboard } = /** @type {any} */ (navigator);
  try {
    const layout = await keyboard?.getLayoutMap?.();
    if (!layout) return;
    desk.letters = CODES.map((code) => (layout.get(code) || code.slice(3)).toUpperCase());
  } catch {
    return; // not told: the letters stay
  }
  if (desk.marks) drawPage(desk);
}

/**
 * Take what the server says.
 *
 * @param {PageDesk} desk
 * @param {PageData} data
 * @param {(entries: Entry[]) => void} send
 */
function receive(desk, data, send) {
  desk.data = data;
  desk.parts.root.classList.toggle("dark", isDark(desk.parts.root));
  const other = receiveAcks(desk.outbox, data, send);
  if (other || desk.view !== data.view) {
    desk.view = data.view;
    desk.marks = null;
    desk.done = lastByRow(waitingIn(desk.outbox));
    takeFocus(desk.parts.root);
  }
  if (!desk.marks || desk.marks.stale) offer(desk);
  drawAround(desk);
  prepare(desk);
}

/**
 * @param {Object} component
 * @param {PageData} component.data
 * @param {ParentNode} component.parentElement
 * @param {(name: string, value: unknown) => void} component.setStateValue
 * @param {(name: string, value: unknown) => void} component.setTriggerValue
 * @returns {() => void} called when the component is taken away
 */
export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  let here = mounted.get(parentElement);
  if (!here || !here.desk.parts.root.isConnected) {
    here?.detach();
    here = mount(parentElement, data);
    mounted.set(parentElement, here);
  }
  const { desk, attach, detach } = here;
  attach();
  desk.follow = (marked) => setStateValue("marked", marked);
  desk.go = (where) => {
    desk.outbox.sync.flush();
    setTriggerValue("go", where);
  };
  fitHeight(desk.parts.root);
  receive(desk, data, (entries) => setStateValue("log", entries));
  return detach;
}
