// Page mode: twelve images of one given class; mark those that are not.

import { keepFocus, noteTab, pressOnce, takeFocus } from "../desk/keys.js";
import { fitHeight, isDark, keepHeight } from "../desk/layout.js";
import { tellMeanwhile } from "../desk/meanwhile.js";
import { mounting } from "../desk/mount.js";
import { receiveAcks, startOutbox, waitingIn } from "../desk/outbox.js";
import { lastByRow } from "../desk/progress.js";
import { actsOf, drawAround, leaveOut, offer, redraw } from "./acts.js";
import { newDesk } from "./desk.js";
import { prepare } from "./draw.js";
import { pressKey } from "./keyboard.js";
import { layoutOf, meant } from "./layout.js";

/**
 * @import { Entry } from "../desk/journal.js"
 * @import { PageData, PageDesk } from "./desk.js"
 */

const mount = mounting((parent, /** @type {PageData} */ data) => {
  const desk = /** @type {PageDesk} */ (newDesk(parent, data));
  desk.acts = actsOf(desk);
  const { root } = desk.parts;
  root.onmousedown = (event) => {
    desk.pressedAt = event.timeStamp;
    keepFocus(event, root);
  };
  readLayout(desk);
  return {
    desk,
    root,
    start(signal) {
      const first = { capture: true, signal };
      document.addEventListener("keydown", (event) => listen(desk, event), first);
      document.addEventListener("keyup", (event) => release(desk, event), first);
      window.addEventListener("blur", () => desk.acts.shrink(), { signal });
      window.addEventListener("resize", () => fitHeight(root), { signal });
      keepHeight(root, signal);
      startOutbox(desk.outbox);
    },
    stop: () => desk.outbox.sync.stop(),
  };
});

/**
 * @param {PageDesk} desk
 * @param {KeyboardEvent} event
 */
function listen(desk, event) {
  desk.pressedAt = event.timeStamp;
  noteTab(event, desk.parts.root);
  pressOnce(event, desk.parts.root);
  pressKey(desk, event);
}

/**
 * @param {PageDesk} desk
 * @param {KeyboardEvent} event
 */
function release(desk, event) {
  if (meant(desk.layout, event) === "h") desk.acts.shrink();
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
    desk.layout = layoutOf(layout);
  } catch {
    return; // not told: the letters stay
  }
  if (desk.marks) redraw(desk);
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
  leaveOut(desk, tellMeanwhile(desk, desk.done));
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
  const { desk, leave } = mount(parentElement, data);
  desk.follow = (marked) => setStateValue("marked", marked);
  desk.go = (where) => {
    desk.outbox.sync.flush();
    setTriggerValue("go", where);
  };
  fitHeight(desk.parts.root);
  receive(desk, data, (entries) => setStateValue("log", entries));
  return leave;
}
