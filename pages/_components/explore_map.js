// The map of Explore. The browser holds positions and colours (five bytes a point); it sends a loop
// or one row, and the server answers with what is inside.

const LONGEST_LOOP = 160;
const maps = new WeakMap();

const TOOLS = [
  ["lasso", "Draw a loop", ["M12 4.5c4.7 0 8 2.3 8 5.6s-3.3 5.6-8 5.6s-8-2.3-8-5.6s3.3-5.6 8-5.6", "M7 14.6c-1.2.9-1.4 2.2-.4 3s.9 1.6.2 2.6"]],
  ["box", "Draw a box", ["M4.5 6h15v12h-15z"]],
  ["move", "Move the map", ["M12 3.5v17", "M3.5 12h17", "M9.5 6L12 3.5L14.5 6", "M9.5 18l2.5 2.5l2.5-2.5", "M6 9.5L3.5 12L6 14.5", "M18 9.5l2.5 2.5l-2.5 2.5"]],
];
const ACTS = [
  ["in", "Closer", ["M12 5.5v13", "M5.5 12h13"]],
  ["out", "Farther", ["M5.5 12h13"]],
  ["fit", "Whole map", ["M4.5 9V4.5H9", "M15 4.5h4.5V9", "M19.5 15v4.5H15", "M9 19.5H4.5V15"]],
  ["save", "Save as PNG", ["M12 4v11", "M7.5 10.8L12 15.3l4.5-4.5", "M5 19.5h14"]],
  ["shapes", "Save as SVG", ["M5.5 18.5C7 7.5 17 16.5 18.5 5.5", "M4 17h3v3h-3z", "M17 4h3v3h-3z"]],
];

function sign(paths) {
  const drawing = svg("svg", { viewBox: "0 0 24 24", class: "i", "aria-hidden": "true", width: 16, height: 16 });
  drawing.append(...paths.map((d) => svg("path", { d })));
  return drawing;
}

function newMap(parent) {
  const root = parent.querySelector(".desk"), part = (name) => root.querySelector(name);
  const s = {
    root, field: part(".field"), dots: part(".dots"), over: part(".over"), names: part(".names"), card: part(".card"),
    head: part(".maphead"), note: part(".note"), live: part(".live"), tools: part(".tools"), data: null, points: null,
    codes: null, index: null, view: { x: 0, y: 0, size: 1 }, tool: "lasso", loop: null, drag: null, over_row: -1, facts: new Map(),
    shown: null, cost: 0, count: 0, sent: 0,
  };
  for (const [name, words, paths] of TOOLS)
    s.tools.append(h("button", { type: "button", title: words, "aria-label": words, "data-tool": name, onclick: () => pick(s, name) }, sign(paths)));
  for (const [name, words, paths] of ACTS)
    s.tools.append(h("button", { type: "button", title: words, "aria-label": words, onclick: () => act(s, name) }, sign(paths)));
  pick(s, "lasso");
  s.field.setAttribute("aria-label", "Map of the images. Plus and minus zoom, arrows move, 0 shows all, Escape clears the loop.");
  s.field.onpointerdown = (event) => down(s, event);
  s.field.onpointermove = (event) => move(s, event);
  s.field.onpointerup = (event) => up(s, event);
  s.field.onpointercancel = () => { s.drag = null; overlay(s); };
  s.field.onpointerleave = () => hover(s, -1);
  s.onwheel = (event) => {
    event.preventDefault();
    const box = s.field.getBoundingClientRect();
    zoom(s, Math.exp(-0.0016 * event.deltaY * (event.deltaMode ? 30 : 1)), (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  };
  s.field.addEventListener("wheel", s.onwheel, { passive: false });
  s.field.onkeydown = (event) => keys(s, event);
  s.watch = new ResizeObserver(() => { sizeMap(s); paint(s, true); });
  s.onresize = () => { fitMap(s); };
  s.attach = () => { // Streamlit may take the component away and give back the same element
    if (!s.gone) return;
    s.gone = false;
    s.watch.observe(s.field);
    window.addEventListener("resize", s.onresize);
  };
  s.gone = true;
  s.destroy = () => {
    s.watch.disconnect();
    window.removeEventListener("resize", s.onresize);
    clearTimeout(s.later);
    s.gone = true;
  };
  return s;
}

// The map fills the window, less what the page draws below it.
function fitMap(s) {
  const scroller = s.root.getRootNode().host?.closest('[data-testid="stMain"]');
  const top = s.root.getBoundingClientRect().top + (scroller ? scroller.scrollTop : window.scrollY);
  s.root.style.height = `${Math.max(380, window.innerHeight - Math.round(top) - (s.data?.below || 150))}px`;
}

function sizeMap(s) {
  const ratio = Math.min(2, window.devicePixelRatio || 1), box = s.field.getBoundingClientRect();
  const width = Math.max(1, Math.round(box.width)), height = Math.max(1, Math.round(box.height));
  if (s.scale === ratio && s.width === width && s.height === height) return; // a new size clears them
  Object.assign(s, { scale: ratio, width, height, drawn: null });
  for (const canvas of [s.dots, s.over]) {
    canvas.width = Math.round(s.width * ratio);
    canvas.height = Math.round(s.height * ratio);
  }
}

async function bytes(url, kind) {
  const answer = await fetch(url, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  return new kind(await answer.arrayBuffer());
}

function receive(s, data) {
  const before = s.data;
  s.data = data;
  s.dark = isDark(s.root);
  s.root.classList.toggle("dark", s.dark);
  fitMap(s);
  header(s);
  if (before && before.cleared !== data.cleared) s.loop = null;
  if (data.go && (!before || before.go?.id !== data.go.id)) s.goTo = data.go.row;
  if (s.live.textContent !== data.say) s.live.textContent = data.say || "";
  if (!before || before.points !== data.points) {
    s.points = s.index = null;
    s.view = { x: 0, y: 0, size: 1 };
    s.loop = data.loop || null;
    s.note.textContent = "Loading the map";
    bytes(data.points, Uint16Array).then((found) => {
      if (s.data.points !== data.points) return;
      s.points = found;
      ready(s);
      placeIndex(found).then((index) => { if (!s.gone && s.points === found) s.index = index; });
    }).catch(() => failed(s));
  }
  if (!before || before.codes !== data.codes) {
    const wanted = data.codes;
    s.facts.clear();
    bytes(wanted, Uint8Array).then((found) => {
      if (s.data.codes !== wanted) return;
      s.codes = found;
      s.coloured = [wanted, s.data.mode]; // until now a resize painted the old ones, in their own colours
      ready(s);
    }).catch(() => failed(s));
  } else ready(s);
}

function failed(s) { s.note.textContent = "The map could not be loaded. Load the page again."; }

function ready(s) {
  if (!s.points || !s.codes || s.codes.length * 2 !== s.points.length) return;
  s.note.textContent = "";
  const go = s.goTo;
  if (go !== undefined && go >= 0 && 2 * go < s.points.length) {
    delete s.goTo;
    const x = s.points[2 * go] / 65535, y = s.points[2 * go + 1] / 65535, v = s.view;
    if (x < v.x || y < v.y || x > v.x + v.size || y > v.y + v.size) clampView(s, { x: x - v.size / 2, y: y - v.size / 2, size: v.size });
  }
  sizeMap(s);
  paint(s, true);
}

// Title and legend -------------------------------------------------------------------------------

function header(s) {
  const colours = paletteOf(s.data.mode, s.dark);
  s.head.replaceChildren(
    h("span", { class: "t" }, "Map"), h("span", { class: "sub" }, s.data.subtitle),
    h("span", { class: "key" }, s.data.legend.map((entry) => {
      const size = s.data.mode === "suspicion" ? [7, 9, 11][entry.slot] : 10;
      return h("span", { title: `${oneLine(entry.name)}: ${plural(entry.count, "image")}` },
        h("i", { style: { width: `${size}px`, height: `${size}px`, background: colours[entry.slot] } }), short(entry.name, 16));
    })));
}

// Painting ---------------------------------------------------------------------------------------

function paint(s, now) {
  if (!s.points || !s.codes || s.gone) return;
  if (now || s.cost < 24) {
    clearTimeout(s.later);
    full(s);
  } else { // a view of the last picture at once, the sharp one when the hand rests
    stretch(s);
    clearTimeout(s.later);
    s.later = setTimeout(() => full(s), 90);
  }
  labels(s);
  overlay(s);
}

function full(s) {
  const [colours, mode] = s.coloured;
  const asked = [s.data.points, colours, mode, s.dark, s.view.x, s.view.y, s.view.size].join();
  if (s.drawn === asked) return;
  const began = performance.now(), context = s.dots.getContext("2d", { alpha: false });
  const { width, height } = s.dots;
  if (!s.image || s.image.width !== width || s.image.height !== height) s.image = context.createImageData(width, height);
  const [r, g, b] = getComputedStyle(s.root).backgroundColor.match(/[\d.]+/g).map(Number);
  const back = `#${[r, g, b].map((v) => Math.round(v).toString(16).padStart(2, "0")).join("")}`;
  s.count = drawDots(s.image, s.points, s.codes, s.view, paletteOf(mode, s.dark), back, s.scale);
  context.putImageData(s.image, 0, 0);
  s.drawn = asked;
  s.shown = { ...s.view };
  s.cost = performance.now() - began;
  s.root.dataset.painted = colours;
  s.root.dataset.ms = s.cost.toFixed(1);
}

function stretch(s) {
  if (!s.shown || !s.image) return;
  if (!s.still) s.still = document.createElement("canvas");
  if (s.stillOf !== s.shown) {
    s.still.width = s.image.width; s.still.height = s.image.height;
    s.still.getContext("2d").putImageData(s.image, 0, 0);
    s.stillOf = s.shown;
  }
  const context = s.dots.getContext("2d", { alpha: false }), ratio = s.shown.size / s.view.size;
  s.drawn = null;
  const { width, height } = s.dots;
  context.fillStyle = getComputedStyle(s.root).backgroundColor;
  context.fillRect(0, 0, width, height);
  context.drawImage(s.still, ((s.shown.x - s.view.x) / s.view.size) * width, ((s.shown.y - s.view.y) / s.view.size) * height, width * ratio, height * ratio);
}

const toX = (s, x) => ((x - s.view.x) / s.view.size) * s.width;
const toY = (s, y) => ((y - s.view.y) / s.view.size) * s.height;
const fromX = (s, x) => s.view.x + (x / s.width) * s.view.size;
const fromY = (s, y) => s.view.y + (y / s.height) * s.view.size;

function labels(s) {
  const boxes = [];
  s.names.replaceChildren(...(s.data.names || []).flatMap((each) => {
    const x = toX(s, each.x), y = toY(s, each.y), text = short(each.name, 18), wide = 4.2 * text.length + 6;
    if (x < 4 || y < 4 || x > s.width - 4 || y > s.height - 4) return [];
    if (boxes.some((box) => Math.abs(box.x - x) < box.wide + wide && Math.abs(box.y - y) < 18)) return []; // no name over another
    boxes.push({ x, y, wide });
    const left = Math.min(Math.max(x, wide), s.width - wide);
    return [h("span", { style: { left: `${left}px`, top: `${Math.min(Math.max(y, 12), s.height - 12)}px` } }, text)];
  }));
}

function ring(context, s, row, radius, colour) {
  if (row === null || row === undefined || row < 0 || 2 * row >= s.points.length) return;
  const x = toX(s, s.points[2 * row] / 65535), y = toY(s, s.points[2 * row + 1] / 65535);
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.lineWidth = 2.2;
  context.strokeStyle = colour;
  context.stroke();
}

function overlay(s) {
  const context = s.over.getContext("2d");
  context.setTransform(s.scale, 0, 0, s.scale, 0, 0);
  context.clearRect(0, 0, s.width, s.height);
  if (!s.points) return;
  const style = getComputedStyle(s.root), accent = style.getPropertyValue("--accent-text") || "#4B45C6";
  const corners = s.drag && s.drag.points && s.drag.moved ? corner(s) : s.loop;
  if (corners && corners.length > 1) {
    context.beginPath();
    corners.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](toX(s, x), toY(s, y)));
    context.closePath();
    context.globalAlpha = 0.1;
    context.fillStyle = accent;
    context.fill();
    context.globalAlpha = 1;
    context.setLineDash([6, 4]);
    context.lineWidth = 1.8;
    context.strokeStyle = accent;
    context.stroke();
    context.setLineDash([]);
  }
  ring(context, s, s.data.chosen, 8, accent);
  ring(context, s, s.over_row, 6.5, PALETTES[s.dark ? "dark" : "light"].ink);
}

// Hand -------------------------------------------------------------------------------------------

function pick(s, tool) {
  s.tool = tool;
  s.field.classList.toggle("move", tool === "move");
  for (const button of s.tools.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
}

const spot = (s, event) => {
  const box = s.field.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};

function down(s, event) {
  if (event.composedPath().includes(s.tools) || event.button > 1 || !s.points) return;
  s.field.setPointerCapture(event.pointerId);
  const [x, y] = spot(s, event), panning = s.tool === "move" || event.button === 1 || event.shiftKey;
  s.drag = { x, y, moved: false, tool: panning ? "move" : s.tool, view: { ...s.view }, points: panning ? null : [[fromX(s, x), fromY(s, y)]], last: [x, y] };
  hover(s, -1);
}

function move(s, event) {
  const [x, y] = spot(s, event), drag = s.drag;
  if (!drag) {
    if (!s.index || event.composedPath().includes(s.tools)) return hover(s, -1);
    return hover(s, nearest(s.index, s.points, s.codes, x, y, s.view, s.width, s.height, 9));
  }
  if (!drag.moved && Math.hypot(x - drag.x, y - drag.y) < 4) return undefined;
  drag.moved = true;
  s.field.classList.add("moving");
  if (drag.tool === "move") {
    clampView(s, { ...drag.view, x: drag.view.x - ((x - drag.x) / s.width) * s.view.size, y: drag.view.y - ((y - drag.y) / s.height) * s.view.size });
    return paint(s);
  }
  if (drag.tool === "box") drag.points[1] = [fromX(s, x), fromY(s, y)];
  else if (Math.hypot(x - drag.last[0], y - drag.last[1]) >= 3) {
    drag.points.push([fromX(s, x), fromY(s, y)]);
    drag.last = [x, y];
  }
  return overlay(s);
}

function corner(s) {
  const { points, tool } = s.drag;
  if (tool !== "box") return points;
  const [[x0, y0], [x1, y1]] = [points[0], points[1] || points[0]];
  return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
}

function up(s, event) {
  const drag = s.drag;
  s.field.classList.remove("moving");
  if (!drag) return;
  if (!drag.moved) {
    s.drag = null;
    const [x, y] = spot(s, event);
    const row = s.index ? nearest(s.index, s.points, s.codes, x, y, s.view, s.width, s.height, 9) : -1;
    if (row >= 0) s.choose({ id: Date.now(), row });
    return;
  }
  if (drag.tool === "move") {
    s.drag = null;
    return;
  }
  let corners = corner(s);
  s.drag = null;
  const step = Math.ceil(corners.length / LONGEST_LOOP);
  corners = corners.filter((_, i) => i % step === 0).map(([x, y]) => [Math.round(x * 1e6) / 1e6, Math.round(y * 1e6) / 1e6]);
  if (corners.length < 3) return overlay(s);
  s.loop = corners;
  overlay(s);
  s.sent = performance.now();
  s.select({ id: Date.now(), points: corners });
}

function clampView(s, wanted) {
  const size = Math.min(1, Math.max(1 / 64, wanted.size)), most = 1 - size;
  s.view = { size, x: Math.min(most, Math.max(0, wanted.x)), y: Math.min(most, Math.max(0, wanted.y)) };
}

function zoom(s, factor, atX = 0.5, atY = 0.5) {
  const size = Math.min(1, Math.max(1 / 64, s.view.size / factor));
  clampView(s, { size, x: s.view.x + atX * (s.view.size - size), y: s.view.y + atY * (s.view.size - size) });
  hover(s, -1);
  paint(s);
}

function act(s, name) {
  if (name === "in") zoom(s, 1.6);
  else if (name === "out") zoom(s, 1 / 1.6);
  else if (name === "fit") zoom(s, 1e-6);
  else if (name === "shapes") saveShapes(s);
  else save(s);
}

function keys(s, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target !== s.field) return;
  const pan = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (pan) {
    clampView(s, { ...s.view, x: s.view.x + 0.12 * s.view.size * pan[0], y: s.view.y + 0.12 * s.view.size * pan[1] });
    paint(s);
  } else if (event.key === "+" || event.key === "=") zoom(s, 1.6);
  else if (event.key === "-") zoom(s, 1 / 1.6);
  else if (event.key === "0") zoom(s, 1e-6);
  else if (event.key === "Escape" && s.loop) {
    s.loop = null;
    overlay(s);
    s.select({ id: Date.now(), points: null });
  } else return;
  event.preventDefault();
}

// Card under the pointer -------------------------------------------------------------------------

function hover(s, row) {
  if (row === s.over_row) return;
  s.over_row = row;
  s.field.classList.toggle("hit", row >= 0 && s.tool !== "move");
  clearTimeout(s.asking);
  overlay(s);
  if (row < 0) {
    s.card.hidden = true;
    return;
  }
  const known = s.facts.get(row);
  if (known) card(s, row, known);
  else s.asking = setTimeout(() => ask(s, row), 50);
}

async function ask(s, row) {
  try {
    const answer = await fetch(at(s.data.point, row), { credentials: "same-origin" });
    if (!answer.ok) return;
    const facts = await answer.json();
    if (s.facts.size > 500) s.facts.clear();
    s.facts.set(row, facts);
    if (s.over_row === row) card(s, row, facts);
  } catch { /* gone offline: the next one will tell */ }
}

function card(s, row, facts) {
  const lines = [h("div", { class: "who" }, named("span", facts.given, {}, 20), facts.suggested ? [" → ", named("span", facts.suggested, { class: "suggested" }, 20)] : null),
    h("div", { class: "m" }, short(facts.id, 34))];
  if (facts.p_wrong !== null) lines.push(h("div", { class: "m" }, `p wrong ${facts.p_wrong.toFixed(2)}`));
  if (facts.verdict && VERDICTS[facts.verdict]) lines.push(h("div", null, verdict(facts.verdict)));
  s.card.replaceChildren(thumb(at(s.data.thumb, row), `labelled ${oneLine(facts.given)}`), h("div", null, lines));
  s.card.hidden = false;
  const x = toX(s, s.points[2 * row] / 65535), y = toY(s, s.points[2 * row + 1] / 65535);
  const wide = s.card.offsetWidth, tall = s.card.offsetHeight;
  s.card.style.left = `${Math.max(2, x + 16 + wide < s.width ? x + 16 : x - 16 - wide)}px`;
  s.card.style.top = `${Math.min(Math.max(2, y - tall / 2), Math.max(2, s.height - tall - 2))}px`;
}

export default function ({ data, parentElement, setStateValue }) {
  let s = maps.get(parentElement);
  if (!s || !s.root.isConnected) {
    if (s) s.destroy();
    s = newMap(parentElement);
    maps.set(parentElement, s);
  }
  s.attach();
  s.select = (loop) => setStateValue("loop", loop);
  s.choose = (chosen) => setStateValue("chosen", chosen);
  receive(s, data);
  return s.destroy;
}
