// The present image with its label, the keys below it, and what lies ahead.

import { classKeys } from "../desk/classes.js";
import { openCopies } from "../desk/copies.js";
import { nextKind, waysOn } from "../desk/ends.js";
import { icon } from "../desk/icons.js";
import { focus } from "../desk/keys.js";
import { cap, focusedNear, h, keyButton, missing, named } from "../desk/nodes.js";
import { drawSaved } from "../desk/outbox.js";
import { at, drawnSize, fetchAhead } from "../desk/pictures.js";
import { watch } from "../desk/seen.js";
import { drawStrip } from "../desk/strip.js";
import { folderAndFile, oneLine, plural, short } from "../desk/words.js";
import { AHEAD, isBlind, lastAnswers, isUnlabelled, showsEvidence, takesNothing } from "./desk.js";
import { needEvidence, noteAdvised } from "./evidence.js";
import { drawPanel } from "./panel.js";
import { blindQuestion } from "./naming.js";
import { ahead, isComing } from "./queue.js";
import { saidNow } from "./said.js";
import { show } from "./say.js";
import { drawBadge, setPicture } from "./zoom.js";

/**
 * @import { IconName } from "../desk/icons.js"
 * @import { Item } from "../desk/progress.js"
 * @import { Action } from "../desk/verdicts.js"
 * @import { ReviewDesk } from "./desk.js"
 */

const LAST = 12; // letters of a file's name that are shown whatever room there is
const SOON = 3; // images ahead whose thumbnails are fetched too

/** @param {ReviewDesk} desk */
export function drawItem(desk) {
  const { parts, queue, stage } = desk;
  const { item } = queue;
  drawStrip(desk);
  drawSaved(desk.outbox);
  drawKeys(desk);
  parts.root.classList.toggle("nothing", !item);
  if (!item) {
    drawEnd(desk);
    return;
  }
  drawQuestion(desk);
  const image = stage.pool.get(at(desk.data.urls.image, item.row), true);
  image.alt = item.blind
    ? "image whose label is hidden"
    : `image ${folderAndFile(item.path).join("")}, given label ${short(desk.data.classes[item.given], 60)}`;
  image.onload = () => {
    drawPicture(desk);
    if (showsEvidence(desk)) drawPanel(desk);
  };
  const { turn } = desk;
  image.onerror = () => {
    if (desk.turn !== turn) return;
    turn.broken = true;
    setPicture(desk, null);
    parts.stage.dataset.counts = String(item.row);
    parts.stage.replaceChildren(missing("This image cannot be loaded."));
  };
  setPicture(desk, image);
  stage.badge = h("span", { class: "tag" });
  parts.stage.replaceChildren(image, stage.badge);
  drawPicture(desk);
  drawPanel(desk);
  watch(turn, [image], parts.stage, String(item.row), () => desk.turn === turn);
}

/** @param {ReviewDesk} desk */
export function drawQuestion(desk) {
  const { item } = desk.queue;
  if (!item) return;
  const name = item.blind ? "" : oneLine(desk.data.classes[item.given]);
  desk.parts.q.replaceChildren(...question(desk, item, name));
}

/**
 * @param {ReviewDesk} desk
 * @param {Item} item
 * @param {string} name
 */
function question(desk, item, name) {
  const { queue, detour, acts } = desk;
  const answer = queue.done.get(item.row) ?? elsewhere(desk);
  if (item.blind) return blindQuestion(desk, answer);
  const said = saidNow(desk.data.classes, item, answer);
  const away = detour.from && detour.from.row !== item.row;
  const back = { type: "button", class: "plainbtn back", onclick: () => acts.back() };
  return [
    isUnlabelled(desk) ? h("b", null, "What is it?") : "",
    h("span", null, isUnlabelled(desk) ? "It came as" : "Labelled"),
    named("span", name, { class: "given" }),
    said,
    whereFrom(desk, item),
    away ? h("button", back, cap("B", true), "back to the queue") : "",
  ];
}

/**
 * This person's answer of another window, which the image did not come with.
 *
 * @param {ReviewDesk} desk
 */
export function elsewhere(desk) {
  const { item } = desk.queue;
  if (!item || item.said || desk.queue.done.has(item.row)) return undefined;
  return lastAnswers(desk).find(({ row, look }) => row === item.row && look === item.look);
}

/**
 * Path and split of the image; a press copies them.
 *
 * @param {ReviewDesk} desk
 * @param {Item} item
 */
function whereFrom(desk, { path, split = "" }) {
  const words = split ? `${path}\t${split}` : path;
  const onclick = async () => {
    try {
      await navigator.clipboard.writeText(words);
      show(desk, split ? "Path and split copied." : "Path copied.");
    } catch {
      show(desk, `This browser copies nothing here: ${oneLine(path)}`);
    }
  };
  const [folder, file] = folderAndFile(path, Infinity);
  const letters = Array.from(file);
  const start = letters.slice(0, -LAST).join("");
  const told = `${oneLine(path)}${split ? `, split ${oneLine(split)}` : ""}. Press to copy.`;
  const end = split ? ` · ${short(split, 16)}` : "";
  const seen = folder + file + end;
  const name = seen === oneLine(path) ? told : `${seen}. ${told}`; // what is seen is in the name
  return h(
    "button",
    { type: "button", class: "meta", title: told, "aria-label": name, onclick },
    h("span", { class: "folder" }, folder),
    start ? h("span", { class: "file" }, start) : null,
    h("span", { class: "ending" }, letters.slice(-LAST).join("")),
    end ? h("span", { class: "split" }, end) : null,
  );
}

/** @param {ReviewDesk} desk */
function drawEnd(desk) {
  const { parts, outbox } = desk;
  parts.q.replaceChildren();
  outbox.sync.flush();
  setPicture(desk, null);
  parts.stage.replaceChildren(
    isComing(desk) ? h("div", { class: "skeleton fillall" }) : nothingLeft(desk),
  );
  drawPanel(desk);
}

/** @param {ReviewDesk} desk */
function nothingLeft(desk) {
  const { data, queue, go } = desk;
  const wait = data.to_label ? data.to_label.total - data.to_label.done : 0;
  if (!data.filtered) {
    const press = { type: "button", class: nextKind(data), onclick: () => go("label") };
    return h(
      "div",
      { class: "end" },
      h("b", null, "Nothing is left in the queue."),
      waysOn(desk),
      wait ? h("button", press, `Label ${plural(wait, "image")} without a class`) : null,
    );
  }
  const button = { type: "button", class: nextKind(data), onclick: () => go("clear") };
  return h(
    "div",
    { class: "end" },
    h("b", null, endWords(data, queue.left.size)),
    waysOn(desk),
    h("button", button, "Clear filters"),
  );
}

/**
 * @param {{ labelling?: boolean }} data
 * @param {number} left images that were left as they were
 */
function endWords({ labelling }, left) {
  if (left) return `That was all under these filters; ${plural(left, "image")} left as before.`;
  return labelling ? "Nothing is left to label." : "Nothing left under these filters.";
}

/** @param {ReviewDesk} desk */
export function drawPicture(desk) {
  const { queue, parts, stage } = desk;
  const { image } = stage;
  if (!queue.item || !image) return;
  const width = image.naturalWidth || queue.item.w;
  const height = image.naturalHeight || queue.item.h;
  const drawn = drawnSize(width, height, parts.stage.clientWidth, parts.stage.clientHeight);
  image.style.width = `${drawn.width}px`;
  image.style.height = `${drawn.height}px`;
  drawBadge(desk);
}

/** @param {ReviewDesk} desk */
export function drawKeys(desk) {
  const { root, keys } = desk.parts;
  const { acts } = desk;
  const isWrong = desk.turn.phase === "wrong";
  /**
   * @param {string} letter
   * @param {Action} kind
   * @param {IconName} name
   * @param {string} words
   * @param {() => void} press
   */
  const button = (letter, kind, name, words, press) => {
    const on = isWrong && kind === "none";
    const look = on ? " on" : isWrong ? " dim" : "";
    const pressed = kind === "none" ? String(on) : null;
    const props = { type: "button", class: `key ${kind}${look}`, "aria-pressed": pressed };
    const disabled = !desk.queue.item;
    return h("button", { ...props, onclick: press, disabled }, cap(letter), icon(name), words);
  };
  const focused = [...keys.children].findIndex((each) => each === focusedNear(root));
  const open = desk.turn.together ? openCopies(desk.queue.item) : 0;
  /** @param {string} words */
  const all = (words) => (open ? `${words}, all ${open + 1}` : words);
  const unsure = button("U", "unsure", "help", all("Unsure"), () => acts.answer("unsure"));
  const second = isBlind(desk)
    ? button("N", "none", "block", "None fits", () => acts.answer("none"))
    : button("E", "skip", "stacks", "Suggestions", () => acts.reveal());
  const buttons =
    isBlind(desk) || isUnlabelled(desk)
      ? [
          button("/", "relabel", "swap", all("Choose class"), () => acts.pickClass(false)),
          second,
          unsure,
        ]
      : [
          button("K", "keep", "check", all("Right"), () => acts.answer("keep")),
          button("W", "none", "close", all("Wrong"), () => acts.wrong()),
          unsure,
        ];
  keys.replaceChildren(...buttons);
  if (focused >= 0) focus(buttons[focused]);
  drawLegend(desk);
}

/** @param {ReviewDesk} desk */
function drawLegend(desk) {
  const entries = showsEvidence(desk) ? legendAfter(desk) : legendBefore(desk);
  desk.parts.legend.replaceChildren(...entries.filter((each) => each !== null));
}

/** @param {ReviewDesk} desk */
function legendBefore(desk) {
  const { acts, go } = desk;
  return [
    keyButton("M", "multiple", () => acts.pickClass(true)),
    isBlind(desk) ? null : keyButton("N", "none fits", () => acts.answer("none")),
    keyButton("S", "skip", () => acts.answer("skip")),
    keyButton("Z", "undo", () => acts.undo()),
    isUnlabelled(desk) || desk.data.mode === "blind"
      ? null
      : keyButton("G", "page", () => go("page")),
    keyButton("?", "all keys", () => acts.toggleKeys()),
  ];
}

/** @param {ReviewDesk} desk */
function legendAfter(desk) {
  const { acts, data } = desk;
  const digits = classKeys(data) ? "0–9" : "1–3";
  return [
    takesNothing(desk) ? wrongFirst() : keyButton("Enter", "accept", () => acts.accept()),
    h("span", { class: "plainbtn" }, cap(digits, true), "class"),
    keyButton("M", "multiple", () => acts.pickClass(true)),
    keyButton("N", "none fits", () => acts.answer("none")),
    keyButton("Z", "undo", () => acts.undo()),
    keyButton("C", "map", () => acts.nextOverlay()),
    keyButton("?", "all keys", () => acts.toggleKeys()),
  ];
}

/**
 * Fetch what comes next once the present image is there: pictures at once, thumbnails and allowed
 * evidence when there is time.
 *
 * @param {ReviewDesk} desk
 */
export function prepare(desk) {
  const { data, queue, stage, classFacts, look } = desk;
  const now = stage.image;
  if (now && !now.complete) {
    const then = () => stage.image === now && prepare(desk);
    for (const end of ["load", "error"]) now.addEventListener(end, then, { once: true });
    return;
  }
  const items = ahead(queue, AHEAD);
  const later = window.requestIdleCallback || ((work) => setTimeout(work, 30));
  for (const item of items) stage.pool.get(at(data.urls.image, item.row));
  later(() => {
    for (const { row, given, blind } of items.slice(0, SOON)) {
      const examples = classFacts.get(given)?.exemplars.slice(0, look.wide ? 20 : 10) ?? [];
      for (const each of [...examples, row]) fetchAhead(at(desk.data.urls.thumb, each));
      const early = desk.data.mode === "assisted" || desk.data.marked.includes(row);
      if (early && !blind) needEvidence(desk, row, () => drawPanel(desk));
    }
  });
}

/** What Enter takes: nothing yet, for the label is probably right. */
const wrongFirst = () =>
  h("span", { class: "plainbtn" }, cap("W", true), cap("Enter", true), "accept");

/** @param {ReviewDesk} desk */
export function askForEvidence(desk) {
  if (!desk.queue.item) return;
  noteAdvised(desk, desk.queue.item);
  needEvidence(desk, desk.queue.item.row, () => {
    drawPanel(desk);
    if (takesNothing(desk)) drawLegend(desk);
  });
}
