// Single mode. The browser owns the position in the queue; the server sends what comes next and
// acknowledges answers.

import { keepFocus, noteTab, pressOnce, takeFocus } from "../desk/keys.js";
import { fitHeight, isDark, keepHeight } from "../desk/layout.js";
import { tellMeanwhile } from "../desk/meanwhile.js";
import { mounting } from "../desk/mount.js";
import { drawSaved, receiveAcks, startOutbox, waitingIn } from "../desk/outbox.js";
import { drawStrip } from "../desk/strip.js";
import { actsOf } from "./acts.js";
import { isWide, newDesk, showsEvidence } from "./desk.js";
import { hereBefore } from "./here.js";
import { pressKey } from "./keyboard.js";
import { drawOverlay } from "./overlay.js";
import { drawPanel, fitPanel } from "./panel.js";
import { showAt } from "./present.js";
import { changeMode, comeBack } from "./staying.js";
import { nextOpen, openQueue, receiveItems } from "./queue.js";
import { drawPicture, drawQuestion, elsewhere, prepare } from "./stage.js";
import { land } from "./travel.js";
import { keepZoom, listenToZoom } from "./zoom.js";

/**
 * @import { Entry } from "../desk/journal.js"
 * @import { ReviewData, ReviewDesk } from "./desk.js"
 */

const mount = mounting((parent, /** @type {ReviewData} */ data) => {
  const desk = /** @type {ReviewDesk} */ (newDesk(parent, data));
  desk.acts = actsOf(desk);
  const { root, stage } = desk.parts;
  const watch = new ResizeObserver(() => fit(desk));
  root.onmousedown = (event) => {
    desk.session.pressedAt = event.timeStamp;
    keepFocus(event, root, desk.picker?.field);
  };
  return {
    desk,
    root,
    start(signal) {
      document.addEventListener("keydown", (event) => listen(desk, event), {
        capture: true,
        signal,
      });
      document.addEventListener("visibilitychange", () => hide(desk), { signal });
      window.addEventListener("resize", () => resize(desk), { signal });
      keepHeight(root, signal);
      watch.observe(stage);
      watch.observe(root);
      listenToZoom(desk, signal);
      startOutbox(desk.outbox);
    },
    stop() {
      watch.disconnect();
      desk.outbox.sync.stop();
    },
  };
});

/**
 * @param {ReviewDesk} desk
 * @param {KeyboardEvent} event
 */
function listen(desk, event) {
  desk.session.pressedAt = event.timeStamp;
  noteTab(event, desk.parts.root);
  pressOnce(event, desk.parts.root);
  pressKey(desk, event);
}

/**
 * The room changed, perhaps because the sidebar went.
 *
 * @param {ReviewDesk} desk
 */
function fit(desk) {
  if (isWide(desk.parts.root) !== desk.look.wide) {
    resize(desk);
    return;
  }
  drawStage(desk);
  fitPanel(desk.parts.panel);
}

/**
 * The picture, and what lies over it.
 *
 * @param {ReviewDesk} desk
 */
function drawStage(desk) {
  drawPicture(desk);
  drawOverlay(desk);
  keepZoom(desk);
}

/** @param {ReviewDesk} desk */
function resize(desk) {
  desk.look.wide = isWide(desk.parts.root);
  fitHeight(desk.parts.root);
  drawStage(desk);
  drawPanel(desk);
}

/** @param {ReviewDesk} desk */
function hide(desk) {
  if (document.visibilityState === "hidden") desk.outbox.sync.flush();
}

/**
 * Take what the server says.
 *
 * @param {ReviewDesk} desk
 * @param {ReviewData} data
 * @param {(entries: Entry[]) => void} send
 */
function receive(desk, data, send) {
  const { mode } = desk.data;
  const atHand = desk.queue.item?.row ?? null;
  desk.data = data;
  desk.parts.root.classList.toggle("dark", isDark(desk.parts.root));
  const other = receiveAcks(desk.outbox, data, send);
  for (const [label, facts] of Object.entries(data.classes_shown)) {
    desk.classFacts.set(Number(label), facts);
  }
  const first = other || desk.view === null;
  const fresh = other || desk.view !== data.view;
  if (fresh) {
    desk.view = data.view;
    desk.queue = openQueue(waitingIn(desk.outbox), data.left);
    desk.evidence = new Map();
    if (other) desk.advised = new Map();
    desk.detour = { to: null, from: null };
  }
  for (const row of receiveItems(desk.queue, data.items, desk.outbox.journal.waiting)) {
    desk.evidence.delete(row);
    desk.advised.delete(row);
  }
  const stands = tellMeanwhile(desk, desk.queue.done);
  if (fresh || mode !== data.mode) takeFocus(desk.parts.root);
  const stays = fresh && mode !== data.mode ? atHand : null; // Blind has a queue of its own
  if (land(desk) || comeBack(desk, first ? hereBefore(desk) : stays)) return;
  if (!desk.queue.item) {
    showAt(desk, nextOpen(desk.queue, desk.queue.at));
    return;
  }
  if (stands.includes(desk.queue.item.row) || elsewhere(desk)) drawQuestion(desk);
  drawStrip(desk);
  drawSaved(desk.outbox);
  if (mode !== data.mode) changeMode(desk, mode);
  else if (!showsEvidence(desk)) drawPanel(desk);
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
  const { desk, leave } = mount(parentElement, data);
  desk.go = (where) => {
    desk.outbox.sync.flush();
    setTriggerValue("go", where);
  };
  desk.leave = (left) => setStateValue("left", left);
  fitHeight(desk.parts.root);
  receive(desk, data, (entries) => setStateValue("log", entries));
  return leave;
}
