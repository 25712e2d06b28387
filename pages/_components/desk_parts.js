// What both review components share: nodes, icons, words, pictures, keys.
// Names of classes and files are untrusted: they reach the page as text nodes and attribute
// values only, never as HTML.

const THIN = "\u202f"; // narrow no-break space
const SMALL_PICTURE = 20; // a picture is shown at most this many times its size

// Nodes ----------------------------------------------------------------------------------------

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node[name] = value;
    else if (name === "style") Object.assign(node.style, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

function svg(tag, props, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

// Drawn for this program on a grid of 24; strokes only.
const ICONS = {
  check: ["M5 12.6l4.6 4.6L19.2 7.4"],
  close: ["M6.4 6.4l11.2 11.2", "M17.6 6.4L6.4 17.6"],
  help: ["M12 3.2a8.8 8.8 0 1 0 0 17.6a8.8 8.8 0 1 0 0-17.6", "M9.4 9.8a2.6 2.6 0 1 1 4 2.2c-.9.6-1.4 1-1.4 2", "M12 16.8v.4"],
  swap: ["M4 9.2h15.5", "M16.2 5.9l3.3 3.3l-3.3 3.3", "M20 16h-15.5", "M7.8 12.7L4.5 16l3.3 3.3"],
  stacks: ["M12 4l8.2 4.2L12 12.4L3.8 8.2z", "M4 12.4l8 4.1l8-4.1", "M4 16.4l8 4.1l8-4.1"],
  block: ["M12 3.2a8.8 8.8 0 1 0 0 17.6a8.8 8.8 0 1 0 0-17.6", "M5.9 5.9l12.2 12.2"],
  skip: ["M6 6.2l8.6 5.8L6 17.8z", "M18 6v12"],
  hidden: ["M4 4l16 16", "M9.5 6.1a9.6 9.6 0 0 1 11.3 5.9a9.9 9.9 0 0 1-2.9 4", "M6.3 7.6A9.9 9.9 0 0 0 3.2 12a9.6 9.6 0 0 0 12.3 5.6", "M9.9 10.1a3 3 0 0 0 4.1 4.1"],
  done: ["M12 3.2a8.8 8.8 0 1 0 0 17.6a8.8 8.8 0 1 0 0-17.6", "M8.2 12.3l2.7 2.7l5-5.4"],
  waiting: ["M12 3.2a8.8 8.8 0 1 0 0 17.6a8.8 8.8 0 1 0 0-17.6", "M12 7.4V12l3 2"],
  offline: ["M4 4l16 16", "M3.6 9.4a12.6 12.6 0 0 1 4-2.5", "M11.4 5.9a12.6 12.6 0 0 1 9 3.5", "M7 13a7.6 7.6 0 0 1 3.4-1.9", "M10.4 16.4a2.6 2.6 0 0 1 3.2 0", "M12 19.4v.2"],
};

function icon(name, size = 18) {
  const drawing = svg("svg", { viewBox: "0 0 24 24", class: "i", "aria-hidden": "true" });
  drawing.style.width = drawing.style.height = `${size}px`;
  drawing.append(...ICONS[name].map((d) => svg("path", { d })));
  return drawing;
}

function cap(text, small) {
  return h("kbd", { class: small ? "s" : null }, text);
}

const missing = (words) => h("div", { class: "missing" }, words);

// Words ----------------------------------------------------------------------------------------

function oneLine(text) {
  return String(text ?? "")
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .replace(/[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g, "")
    .trim();
}

function short(text, limit = 24) {
  const line = oneLine(text);
  const letters = Array.from(line);
  return letters.length <= limit ? line : `${letters.slice(0, limit - 1).join("").trimEnd()}…`;
}

// A name as a node: cut for the eye, whole in the tooltip.
function named(tag, text, props = {}, limit = 24) {
  const whole = oneLine(text);
  const shown = short(whole, limit);
  return h(tag, { ...props, title: shown === whole ? null : whole }, shown || "–");
}

const count = (n) => Math.round(n).toLocaleString("en-US");
const percent = (share) => `${Math.round(100 * share)}${THIN}%`;
const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many || `${one}s`}`;

function seconds(value) {
  if (value < 9.95) return `${value.toFixed(1).replace(/\.0$/, "")} s`;
  const whole = Math.round(value);
  if (whole < 60) return `${whole} s`;
  return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
}

// Every verdict has a colour, an icon and a word.
const VERDICTS = {
  keep: ["check", "kept"],
  relabel: ["swap", "relabelled"],
  multiple: ["stacks", "several classes"],
  none: ["block", "none fits"],
  unsure: ["help", "to 2nd reviewer"],
  skip: ["skip", "skipped"],
};

function verdict(action) {
  const [name, word] = VERDICTS[action];
  return h("span", { class: `v ${action}` }, icon(name, 15), word);
}

// Which key stands for which class, for good: 1 is the first class, 0 the tenth. Classes that are
// digits themselves keep their own. Above ten classes only the suggestions have keys.
function classKeys(classes) {
  if (classes.length > 10) return null;
  const names = classes.map(oneLine);
  if (names.every((name) => /^[0-9]$/.test(name)) && new Set(names).size === names.length) return names;
  return classes.map((_, label) => String((label + 1) % 10));
}

// Pictures -------------------------------------------------------------------------------------

// Keeps pictures fetched and decoded, so that showing one is a swap of nodes.
function pictures(limit) {
  const held = new Map();
  return {
    get(url) {
      let image = held.get(url);
      if (image && image.broken) {
        held.delete(url);
        image = null;
      }
      if (!image) {
        image = new Image();
        image.decoding = "sync";
        image.draggable = false;
        image.src = url;
        image.decode().catch(() => { image.broken = true; });
      } else held.delete(url);
      held.set(url, image);
      if (held.size > limit) held.delete(held.keys().next().value);
      return image;
    },
  };
}

const asked = new Set(); // thumbnails that were fetched ahead; the browser's cache keeps them

function fetchAhead(url) {
  if (asked.has(url)) return;
  asked.add(url);
  new Image().src = url;
}

const at = (template, row) => template.replace("{row}", String(Number(row)));

function thumb(url, alt) {
  return h("img", { src: url, alt, decoding: "sync", draggable: "false" });
}

// How large a picture is drawn: as large as fits, small ones at most 20 times, never stretched.
function drawnSize(width, height, roomWidth, roomHeight) {
  const scale = Math.min(roomWidth / width, roomHeight / height, SMALL_PICTURE);
  return { width: width * scale, height: height * scale, scale };
}

// Keys -----------------------------------------------------------------------------------------

const NOT_TEXT = new Set(["checkbox", "radio", "range", "button", "submit", "reset", "color", "file", "image"]);

function isTextField(node) {
  if (!node || !node.tagName) return false;
  if (node.tagName === "INPUT") return !NOT_TEXT.has(node.type);
  return node.tagName === "TEXTAREA" || node.tagName === "SELECT" || node.isContentEditable;
}

// Whether a key press is meant for the component: never from a text field, under a dialog, from a
// key held down, or with a modifier (Ctrl+Z apart); Enter and Space belong to a focused control.
function isForUs(event, root) {
  if (event.repeat || event.isComposing || event.altKey || event.metaKey) return false;
  if (event.ctrlKey && event.key.toLowerCase() !== "z") return false;
  const path = event.composedPath();
  if (path.some(isTextField)) return false;
  if (document.querySelector('[role="dialog"], [role="alertdialog"]')) return false;
  if (event.key === "Enter" || event.key === " ") {
    return !path.some((node) => node !== root && node.matches && node.matches(
      'button, a[href], summary, [role="button"], [role="radio"], [role="option"], [role="tab"]'));
  }
  return true;
}

// Take the focus where no one types, so that keys work at once after a click elsewhere.
function takeFocus(root) {
  const active = document.activeElement;
  if (isTextField(active) && active.getAttribute("role") !== "combobox") return;
  if (document.querySelector('[role="dialog"], [data-testid="stPopoverBody"]')) return;
  root.focus({ preventScroll: true });
}

// The component has the focus most of the time; its ring is drawn for those who came by Tab.
function noteTab(event, root) {
  if (event.key === "Tab") root.classList.add("tabbed");
}

// Layout ---------------------------------------------------------------------------------------

// The component fills the window below its own top, less a margin of 16 px.
function fitHeight(root) {
  const scroller = root.getRootNode().host?.closest('[data-testid="stMain"]');
  const top = root.getBoundingClientRect().top + (scroller ? scroller.scrollTop : window.scrollY);
  root.style.height = `${Math.max(440, window.innerHeight - Math.round(top) - 16)}px`;
}

function isDark(root) {
  const [r, g, b] = getComputedStyle(root).backgroundColor.match(/[\d.]+/g).map(Number);
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
}

function keysOverlay(rows, close) {
  return h("div", { class: "overlay", role: "dialog", "aria-modal": "true", "aria-label": "All keys" },
    h("div", { class: "sheet" },
      h("div", { class: "sheethead" }, h("b", null, "All keys"),
        h("button", { class: "plainbtn", type: "button", onclick: close, "aria-label": "Close" }, icon("close"))),
      h("div", { class: "keylist" }, rows.map(([keys, words]) =>
        h("div", null, h("span", null, keys.map((key) => cap(key))), h("span", null, words))))));
}
