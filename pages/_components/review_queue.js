// Single mode. The browser owns the position in the queue; the server sends what comes next and
// acknowledges answers. A press is drawn at once and never waits for the server.

const AHEAD = 10; // pictures fetched and decoded before they are needed
const KEPT_BACK = 300; // items behind the present one that the arrows can reach

const desks = new WeakMap();

const SINGLE_KEYS = [
  [["K"], "right: the label stays"], [["W"], "wrong: opens the suggestion"], [["U"], "unsure: to a second reviewer"],
  [["A", "Enter"], "accept the suggestion (after Wrong)"], [["0–9"], "the class of that digit (after Wrong)"],
  [["/"], "search a class (after Wrong)"], [["M"], "multiple: more than one class is right"], [["N"], "none fits"],
  [["S"], "skip"], [["Z"], "undo; also Ctrl Z"], [["E"], "show the suggestion now (recorded)"],
  [["C"], "map over the image: suggested, given, none"], [["D"], "difference of the maps over the image"], [["←", "→"], "previous, next"],
  [["B"], "back to the queue, from an image opened out of turn"],
  [["G"], "page mode: twelve images at once"], [["?"], "this list"],
];

function newDesk(parent) {
  const root = parent.querySelector(".desk");
  const part = (name) => root.querySelector(name);
  const s = {
    root, data: null, view: null, list: [], at: 0, item: null, done: new Map(), byClass: new Map(), evidence: new Map(),
    phase: "ask", revealed: false, jumpTo: null, cameFrom: null, nearBoth: false, mapSource: "", mapOpacity: 0.8, overlayMap: "", journal: null, sync: null, picker: null, overlay: null, send: null,
    born: performance.now(), shownAt: 0, pressed: 0, said: "", pool: pictures(3 * AHEAD),
    stripBox: part(".strip"), q: part(".q"), stage: part(".stage"), keyRow: part(".keys"), legend: part(".legend"),
    panel: part(".panel"), live: part(".live"), saved: h("span", { class: "saved" }),
  };
  s.wide = window.innerWidth >= 1600;
  s.answers = () => answersNow(s.data.recent, [...s.journal.waiting.values()], (row) => s.list.find((item) => item.row === row));
  s.act = (action, more) => act(s, action, more);
  s.openPicker = (several) => { if (s.item && !s.picker) openPicker(s, several); };
  s.onkey = (event) => {
    noteTab(event, root);
    key(s, event);
  };
  s.onresize = () => {
    s.wide = window.innerWidth >= 1600;
    fitHeight(root);
    drawPicture(s);
    drawPanel(s);
    drawOverlay(s);
  };
  s.onhide = () => { if (document.visibilityState === "hidden" && s.sync) s.sync.flush(); };
  // A click must not leave the focus on a key button: Enter would press it again.
  root.onmousedown = (event) => {
    if (!isTextField(event.composedPath()[0])) {
      event.preventDefault();
      root.classList.remove("tabbed");
      root.focus({ preventScroll: true });
    }
  };
  s.watchSize = new ResizeObserver(() => drawPicture(s));
  s.attach = () => { // Streamlit may take the component away and give back the same element
    if (s.attached) return;
    s.attached = true;
    document.addEventListener("keydown", s.onkey, true);
    document.addEventListener("visibilitychange", s.onhide);
    window.addEventListener("resize", s.onresize);
    s.watchSize.observe(s.stage);
    if (s.journal) s.sync = openSync(s.journal, () => drawSaved(s));
  };
  s.destroy = () => {
    s.attached = false;
    document.removeEventListener("keydown", s.onkey, true);
    document.removeEventListener("visibilitychange", s.onhide);
    window.removeEventListener("resize", s.onresize);
    s.watchSize.disconnect();
    if (s.sync) s.sync.stop();
  };
  return s;
}

// What the server says ---------------------------------------------------------------------------

function receive(s, data) {
  s.data = data;
  s.root.classList.toggle("dark", isDark(s.root));
  if (!s.journal || s.journal.name !== data.journal) {
    if (s.sync) s.sync.stop();
    s.journal = openJournal(data.journal);
    s.sync = openSync(s.journal, () => drawSaved(s));
    s.done = lastByRow(s.journal.waiting.values());
    s.view = null;
    if (s.journal.waiting.size) s.sync.touch();
  }
  s.sync.send = s.send;
  s.journal.ack(data.acked);
  for (const [label, known] of Object.entries(data.classes_shown)) s.byClass.set(Number(label), known);
  const fresh = s.view !== data.view;
  if (fresh) {
    s.view = data.view;
    s.list = [];
    s.at = 0;
    s.item = null;
    s.evidence = new Map();
    s.done = lastByRow(s.journal.waiting.values());
    s.jumpTo = s.cameFrom = null;
  }
  // What was seen stays where it is; what comes is what the server says now.
  const seen = s.list.slice(0, s.at + (s.item ? 1 : 0));
  const rows = new Set(seen.map((item) => item.row));
  let next = data.items.filter((item) => !rows.has(item.row) && !isAnswered(s, item.row));
  if (!next.length) next = data.items.filter((item) => !isAnswered(s, item.row) && item !== s.item && !(s.item && item.row === s.item.row));
  s.list = [...seen, ...next];
  if (fresh) takeFocus(s.root);
  if (land(s)) return;
  if (s.item) {
    drawStrip(s);
    drawSaved(s);
    if (s.phase === "ask" && !showsEvidence(s)) drawPanel(s);
    prepare(s);
  } else show(s, s.list.findIndex((item, i) => i >= s.at && !isAnswered(s, item.row)));
}

const isAnswered = (s, row) => s.done.has(row) && s.done.get(row).action !== "reopen";

const isFollowUp = (s) => s.item && s.data.marked.includes(s.item.row) && !isAnswered(s, s.item.row);

const showsEvidence = (s) => s.item && (s.phase === "wrong" || s.revealed || s.data.mode === "assisted");

// What the person does ---------------------------------------------------------------------------

function show(s, index) {
  if (s.picker) s.picker.close();
  if (s.list.length > 2 * KEPT_BACK && index > KEPT_BACK) {
    s.list.splice(0, index - KEPT_BACK);
    index = KEPT_BACK;
  }
  s.item = index >= 0 ? s.list[index] || null : null;
  s.at = s.item ? index : s.list.length;
  s.revealed = false;
  s.overlayMap = "";
  s.phase = isFollowUp(s) ? "wrong" : "ask"; // a marked tile: said to be wrong before any suggestion
  s.shownAt = performance.now();
  drawItem(s);
  prepare(s);
  if (showsEvidence(s)) needEvidence(s);
}

function act(s, action, more = {}) {
  if (!s.item) return;
  const seen = s.data.mode === "assisted" || s.revealed
    // after a blind Wrong the suggestion is no influence on the verdict, only on the class
    || (s.phase === "wrong" && !["relabel", "multiple", "none"].includes(action) && s.evidence.has(s.item.row));
  record(s, s.item, action, {
    label: more.label ?? null, labels: more.labels ?? [], ms: Math.round(performance.now() - s.shownAt), revealed: seen,
    mode: isFollowUp(s) ? "page" : s.data.mode, position: s.item.position,
  });
  s.pressed += 1;
  if (s.cameFrom && !isAnswered(s, s.cameFrom.row)) { back(s); return; }
  const next = s.list.findIndex((item, i) => i > s.at && !isAnswered(s, item.row));
  show(s, next);
}

function record(s, item, action, more) {
  const entry = s.journal.add({ row: item.row, action, ...more });
  s.done.set(item.row, entry);
  s.sync.touch();
}

function wrong(s) {
  if (!s.item || s.phase === "wrong") return;
  s.phase = "wrong";
  drawKeys(s);
  needEvidence(s);
  drawPanel(s);
  say(s, "Wrong. Which class is it?");
}

function reveal(s) {
  if (!s.item || showsEvidence(s)) return;
  s.revealed = true;
  needEvidence(s);
  drawKeys(s);
  drawPanel(s);
}

function undo(s) {
  if (s.item && s.phase === "wrong" && !isFollowUp(s)) { // takes back the Wrong; what was seen was seen
    s.revealed = s.revealed || s.evidence.has(s.item.row);
    s.phase = "ask";
    s.overlayMap = "";
    drawKeys(s);
    drawPanel(s);
    drawOverlay(s);
    return;
  }
  const last = s.answers()[0];
  if (!last) {
    say(s, "Nothing to take back.", true);
    return;
  }
  const { action, label, labels, cid, n, at: _at, ms, mode, revealed, ...item } = last;
  record(s, item, "reopen", { label: null, labels: [], ms: null, revealed: false, mode: s.data.mode, position: item.position });
  let index = s.list.findIndex((one) => one.row === item.row);
  if (index < 0) {
    index = Math.min(s.at, s.list.length);
    s.list.splice(index, 0, item);
  }
  show(s, index);
  say(s, `Taken back: ${oneLine(s.data.classes[item.given])} was ${VERDICTS[action][1]}.`, true);
}

function step(s, by) {
  let index = s.at + by;
  if (index < 0) { // before this visit: the answers that the server knows
    const rows = new Set(s.list.map((item) => item.row));
    const older = s.answers().find((answer) => !rows.has(answer.row));
    if (!older) return;
    const { action, label, labels, cid, ...item } = older;
    s.list.unshift(item);
    s.done.set(item.row, older);
    index = 0;
  }
  if (index < s.list.length) show(s, index);
}

function accept(s) {
  const found = s.evidence.get(s.item.row);
  if (!found || found.failed || found.loading || !found.top.length) return; // nobody accepts unseen
  act(s, "relabel", { label: found.top[0].label });
}

function digit(s, key_) {
  const keys = classKeys(s.data.classes);
  let label = keys ? keys.indexOf(key_) : -1;
  if (!keys) {
    const found = s.evidence.get(s.item.row);
    label = found && found.top && found.top[Number(key_) - 1] ? found.top[Number(key_) - 1].label : -1;
  }
  if (label < 0) return;
  if (label === s.item.given) say(s, "That is the given label. K says that it is right.", true);
  else act(s, "relabel", { label });
}

function key(s, event) {
  if (!s.data || !s.root.isConnected) return;
  if (event.key === "Escape" && (s.overlay || s.picker)) {
    if (s.picker) s.picker.close();
    else toggleKeys(s);
    return;
  }
  if (!isForUs(event, s.root)) return;
  if (event.ctrlKey) {
    if (event.key.toLowerCase() === "z") { event.preventDefault(); undo(s); }
    return;
  }
  if (event.key === "?") { event.preventDefault(); toggleKeys(s); return; }
  if (s.overlay) return;
  const pressed = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const open = showsEvidence(s);
  const moves = {
    k: () => act(s, "keep"), w: () => wrong(s), u: () => act(s, "unsure"), n: () => act(s, "none"), s: () => act(s, "skip"),
    m: () => s.openPicker(true), z: () => undo(s), e: () => reveal(s), g: () => s.go("page"),
    b: () => s.cameFrom && back(s), c: () => nextOverlay(s), d: () => setOverlay(s, s.overlayMap === "difference" ? "" : "difference"),
    ArrowLeft: () => step(s, -1), ArrowRight: () => step(s, 1), Escape: () => s.phase === "wrong" && undo(s),
    "/": () => open && s.openPicker(false), a: () => open && accept(s), Enter: () => open && accept(s),
  };
  const move = /^[0-9]$/.test(pressed) ? () => open && digit(s, pressed) : moves[pressed];
  if (!move) return;
  event.preventDefault();
  if (s.item || ["z", "g", "ArrowLeft"].includes(pressed)) move();
}

// What lies ahead ---------------------------------------------------------------------------------

const pictureUrl = (s, row) => at(s.data.urls.image, row);

function prepare(s) {
  const ahead = s.list.slice(s.at + (s.item ? 1 : 0)).filter((item) => !isAnswered(s, item.row)).slice(0, AHEAD);
  const later = window.requestIdleCallback || ((work) => setTimeout(work, 30));
  for (const item of ahead) s.pool.get(pictureUrl(s, item.row));
  later(() => {
    if (!s.data) return;
    for (const item of ahead.slice(0, 3)) {
      const known = s.byClass.get(item.given);
      if (known) for (const row of known.exemplars.slice(0, s.wide ? 20 : 10)) fetchAhead(at(s.data.urls.thumb, row));
      fetchAhead(at(s.data.urls.thumb, item.row));
      if (s.data.mode === "assisted" || s.data.marked.includes(item.row)) needEvidence(s, item.row);
    }
  });
}

// Only after an answer, on request, or where the mode shows everything: nothing is fetched early.
async function needEvidence(s, row = s.item.row) {
  const known = s.evidence.get(row);
  if (known && !known.failed) return;
  const store = s.evidence;
  store.set(row, { loading: true });
  let found;
  try {
    const answer = await fetch(at(s.data.urls.evidence, row), { credentials: "same-origin", cache: "no-store" });
    found = answer.ok ? await answer.json() : { failed: true };
  } catch {
    found = { failed: true };
  }
  store.set(row, found);
  if (store.size > 60) store.delete(store.keys().next().value);
  if (s.item && s.item.row === row && showsEvidence(s) && s.evidence === store) drawPanel(s);
}

// Drawing -----------------------------------------------------------------------------------------

function drawItem(s) {
  drawStrip(s);
  drawSaved(s);
  drawKeys(s);
  const item = s.item;
  s.root.classList.toggle("nothing", !item);
  if (!item) {
    s.q.replaceChildren();
    const waits = s.journal.waiting.size > 0;
    if (waits) s.sync.flush();
    s.stage.replaceChildren(waits || s.data.items.some((one) => !isAnswered(s, one.row)) ? h("div", { class: "skeleton fillall" }) : nothingLeft(s));
    drawPanel(s);
    return;
  }
  const name = oneLine(s.data.classes[item.given]);
  const answered = s.done.get(item.row);
  s.q.replaceChildren(h("span", null, "Labelled"), named("span", name, { class: "given" }),
    isAnswered(s, item.row) ? verdict(answered.action) : "", named("span", item.path, { class: "meta" }, 40),
    s.cameFrom && s.cameFrom.row !== item.row ? h("button", { type: "button", class: "plainbtn back", onclick: () => back(s) }, cap("B", true), "back to the queue") : "");
  const image = s.pool.get(pictureUrl(s, item.row));
  image.alt = `image ${short(item.path, 60)}, given label ${short(name, 60)}`;
  image.onload = () => { drawPicture(s); if (showsEvidence(s)) drawPanel(s); };
  image.onerror = () => { if (s.item === item) s.stage.replaceChildren(missing("This image cannot be loaded.")); };
  s.image = image;
  s.badge = h("span", { class: "tag" });
  s.stage.replaceChildren(image, s.badge);
  drawPicture(s);
  drawPanel(s);
}

function nothingLeft(s) {
  return h("div", { class: "end" }, h("b", null, s.data.filtered ? "Nothing left under these filters." : "Nothing is left in the queue."),
    s.data.filtered ? h("button", { type: "button", class: "primary", onclick: () => s.go("clear") }, "Clear filters") : null);
}

function drawPicture(s) {
  if (!s.item || !s.image) return;
  const width = s.image.naturalWidth || s.item.w;
  const height = s.image.naturalHeight || s.item.h;
  const drawn = drawnSize(width, height, s.stage.clientWidth, s.stage.clientHeight);
  s.image.style.width = `${drawn.width}px`;
  s.image.style.height = `${drawn.height}px`;
  const times = drawn.scale >= 9.5 ? Math.round(drawn.scale) : Math.round(drawn.scale * 10) / 10;
  s.badge.textContent = `${count(width)} × ${count(height)} px${times === 1 ? "" : `, shown ${times}×`}`;
}

function drawKeys(s) {
  const button = (letter, kind, name, words, act_, on) => h("button", {
    type: "button", class: `key ${kind}${on ? " on" : s.phase === "wrong" ? " dim" : ""}`, onclick: act_, disabled: !s.item,
    "aria-pressed": kind === "none" ? String(Boolean(on)) : null,
  }, cap(letter), icon(name), words);
  const focused = [...s.keyRow.children].indexOf(s.root.getRootNode().activeElement);
  s.keyRow.replaceChildren(
    button("K", "keep", "check", "Right", () => act(s, "keep")),
    button("W", "none", "close", "Wrong", () => wrong(s), s.phase === "wrong"),
    button("U", "unsure", "help", "Unsure", () => act(s, "unsure")));
  if (focused >= 0) s.keyRow.children[focused].focus({ preventScroll: true });
  const small = (letter, words, act_) => h("button", { type: "button", class: "plainbtn", onclick: act_ }, cap(letter, true), words);
  const digits = classKeys(s.data.classes) ? "0–9" : "1–3";
  s.legend.replaceChildren(...(showsEvidence(s) ? [
    small("Enter", "accept", () => accept(s)), h("span", { class: "plainbtn" }, cap(digits, true), "class"),
    small("M", "multiple", () => s.openPicker(true)), small("N", "none fits", () => act(s, "none")),
    small("Z", s.phase === "wrong" ? "take back" : "undo", () => undo(s)), small("C", "map", () => nextOverlay(s)),
    small("?", "all keys", () => toggleKeys(s)),
  ] : [
    small("M", "multiple", () => s.openPicker(true)), small("N", "none fits", () => act(s, "none")), small("S", "skip", () => act(s, "skip")),
    small("Z", "undo", () => undo(s)),
    small("G", "page", () => s.go("page")), small("?", "all keys", () => toggleKeys(s)),
  ]));
}

function drawPanel(s) {
  if (!s.data) return;
  const box = s.picker && s.picker.box;
  if (!s.item) s.panel.replaceChildren(h("div", { class: "pc" }), h("div", { class: "pc" }, lastAnswers(s, s.wide ? 16 : 12), h("div", { class: "foot" }, s.saved)));
  else if (showsEvidence(s)) {
    const found = s.evidence.get(s.item.row);
    s.panel.replaceChildren(...panelEvidence(s, found && !found.loading && !found.failed ? found : null, found && found.failed));
    if (found && !found.loading && !found.failed && !found.maps) needMaps(s);
  } else s.panel.replaceChildren(...panelBefore(s));
  if (box) s.panel.append(box);
}

function drawStrip(s) {
  fillStrip(s);
}

function drawSaved(s) {
  const [name, words] = savedWords(s.journal, s.sync);
  if (words === s.savedWords) return;
  s.savedWords = words;
  s.saved.replaceChildren(icon(name, 16), words);
  s.saved.className = `saved ${name}`;
  clearTimeout(s.sayLater); // spoken once it has settled
  s.sayLater = setTimeout(() => { s.live.textContent = words; }, 1200);
}

// Words for the ear, and for the eye where nothing else on screen says it.
function say(s, words, shown = false) {
  s.live.textContent = words;
  if (!shown) return;
  if (s.toast) s.toast.remove();
  const toast = h("div", { class: "toast" }, words);
  s.toast = toast;
  s.stage.append(toast);
  setTimeout(() => toast.remove(), 2600);
}

function toggleKeys(s) {
  if (s.overlay) {
    s.overlay.remove();
    s.overlay = null;
    return;
  }
  const keys = classKeys(s.data.classes);
  const classes = keys ? s.data.classes.map((name, label) => [[keys[label]], short(name, 30)]) : [];
  classes.sort((a, b) => ((Number(a[0][0]) + 9) % 10) - ((Number(b[0][0]) + 9) % 10));
  s.overlay = keysOverlay([...SINGLE_KEYS, ...classes], () => toggleKeys(s));
  s.root.append(s.overlay);
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  let s = desks.get(parentElement);
  if (!s || !s.root.isConnected) {
    if (s) s.destroy();
    s = newDesk(parentElement);
    desks.set(parentElement, s);
  }
  s.attach();
  s.send = (entries) => setStateValue("log", entries);
  s.go = (where) => { s.sync.flush(); setTriggerValue("go", where); };
  fitHeight(s.root);
  receive(s, data);
  return s.destroy;
}
