// Single mode. The browser owns the position in the queue; the server sends what comes next and
// acknowledges answers.

import { keepFocus, noteTab, takeFocus } from "../desk/keys.js";
import { fitHeight, isDark } from "../desk/layout.js";
import { drawSaved, receiveAcks, startOutbox, waitingIn } from "../desk/outbox.js";
import { drawStrip } from "../desk/strip.js";
import { actsOf, land, showAt } from "./acts.js";
import { isWide, newDesk, showsEvidence } from "./desk.js";
import { pressKey } from "./keyboard.js";
import { drawOverlay } from "./overlay.js";
import { drawPanel } from "./panel.js";
import { nextOpen, openQueue, receiveItems } from "./queue.js";
import { drawPicture, prepare } from "./stage.js";

/**
 * @import { Entry } from "../desk/journal.js"
 * @import { ReviewData, ReviewDesk } from "./desk.js"
 * @typedef {{ desk: ReviewDesk, attach: () => void, detach: () => void }} Mounted
 */

/** @type {WeakMap<ParentNode, Mounted>} */
const mounted = new WeakMap();

/**
 * @param {ParentNode} parent
 * @param {ReviewData} data
 * @returns {Mounted}
 */
function mount(parent, data) {
  const desk = /** @type {ReviewDesk} */ (newDesk(parent, data));
  desk.acts = actsOf(desk);
  const { root, stage } = desk.parts;
  /** @param {KeyboardEvent} event */
  const onkey = (event) => {
    noteTab(event, root);
    pressKey(desk, event);
  };
  const onresize = () => {
    desk.look.wide = isWide();
    fitHeight(root);
    drawPicture(desk);
    drawPanel(desk);
    drawOverlay(desk);
  };
  const onhide = () => {
    if (document.visibilityState === "hidden") desk.outbox.sync.flush();
  };
  const watch = new ResizeObserver(() => drawPicture(desk));
  root.onmousedown = (event) => keepFocus(event, root);
  let attached = false;
  return {
    desk,
    attach() {
      if (attached) return; // Streamlit may take the component away and give back the same element
      attached = true;
      document.addEventListener("keydown", onkey, true);
      document.addEventListener("visibilitychange", onhide);
      window.addEventListener("resize", onresize);
      watch.observe(stage);
      startOutbox(desk.outbox);
    },
    detach() {
      attached = false;
      document.removeEventListener("keydown", onkey, true);
      document.removeEventListener("visibilitychange", onhide);
      window.removeEventListener("resize", onresize);
      watch.disconnect();
      desk.outbox.sync.stop();
    },
  };
}

/**
 * Take what the server says.
 *
 * @param {ReviewDesk} desk
 * @param {ReviewData} data
 * @param {(entries: Entry[]) => void} send
 */
function receive(desk, data, send) {
  desk.data = data;
  desk.parts.root.classList.toggle("dark", isDark(desk.parts.root));
  const other = receiveAcks(desk.outbox, data, send);
  for (const [label, facts] of Object.entries(data.classes_shown)) {
    desk.classFacts.set(Number(label), facts);
  }
  const fresh = other || desk.view !== data.view;
  if (fresh) {
    desk.view = data.view;
    desk.queue = openQueue(waitingIn(desk.outbox));
    desk.evidence = new Map();
    desk.detour = { to: null, from: null };
  }
  receiveItems(desk.queue, data.items);
  if (fresh) takeFocus(desk.parts.root);
  if (land(desk)) return;
  if (!desk.queue.item) {
    showAt(desk, nextOpen(desk.queue, desk.queue.at));
    return;
  }
  drawStrip(desk);
  drawSaved(desk.outbox);
  if (!showsEvidence(desk)) drawPanel(desk);
  prepare(desk);
}

/**
 * @param {Object} component
 * @param {ReviewData} component.data
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
  desk.go = (where) => {
    desk.outbox.sync.flush();
    setTriggerValue("go", where);
  };
  fitHeight(desk.parts.root);
  receive(desk, data, (entries) => setStateValue("log", entries));
  return detach;
}
