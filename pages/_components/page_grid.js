// Page mode: twelve images of one given class; mark those that are not. Committing keeps the rest;
// the marked ones follow one by one. Keys lie as the images do, whatever the keyboard's layout.

const CODES = ["KeyQ", "KeyW", "KeyE", "KeyR", "KeyA", "KeyS", "KeyD", "KeyF", "KeyZ", "KeyX", "KeyC", "KeyV"];
const COLUMNS = 4;

const PAGE_KEYS = [
  [["Q W E R", "A S D F"], "mark the image at that place"], [["Z X C V"], "the third row"], [["Space"], "mark the framed image"],
  [["Enter"], "commit the page"], [["H"], "hold for a larger view"], [["⌫"], "last page back; also Ctrl Z"],
  [["← ↑ ↓ →"], "move the frame"], [["G"], "one image at a time"], [["?"], "this list"],
];

const grids = new WeakMap();

function newGrid(parent) {
  const root = parent.querySelector(".desk");
  const part = (name) => root.querySelector(name);
  const s = {
    root, data: null, view: null, page: null, marked: new Set(), frame: 0, done: new Map(), journal: null, sync: null,
    overlay: null, shownAt: 0, letters: CODES.map((code) => code.slice(3)), pool: pictures(36), waitsFor: null,
    stripBox: part(".strip"), q: part(".q"), tiles: part(".page12"), legend: part(".legend"), panel: part(".panel"),
    live: part(".live"), saved: h("span", { class: "saved" }),
  };
  s.onkey = (event) => {
    noteTab(event, root);
    gridKey(s, event);
  };
  s.onup = (event) => { if (event.key.toLowerCase() === "h") enlarge(s, false); };
  s.onresize = () => fitHeight(root);
  s.onblur = () => enlarge(s, false);
  s.attach = () => { // Streamlit may take the component away and give back the same element
    if (s.attached) return;
    s.attached = true;
    document.addEventListener("keydown", s.onkey, true);
    document.addEventListener("keyup", s.onup, true);
    window.addEventListener("blur", s.onblur);
    window.addEventListener("resize", s.onresize);
    if (s.journal) s.sync = openSync(s.journal, () => drawGridSaved(s));
  };
  root.onmousedown = (event) => {
    event.preventDefault();
    root.classList.remove("tabbed");
    root.focus({ preventScroll: true });
  };
  // Keycaps say what is printed on the keys of this person's keyboard.
  navigator.keyboard?.getLayoutMap?.().then((layout) => {
    s.letters = CODES.map((code) => (layout.get(code) || code.slice(3)).toUpperCase());
    if (s.page) drawPage(s);
  }).catch(() => {});
  s.destroy = () => {
    s.attached = false;
    document.removeEventListener("keydown", s.onkey, true);
    document.removeEventListener("keyup", s.onup, true);
    window.removeEventListener("blur", s.onblur);
    window.removeEventListener("resize", s.onresize);
    if (s.sync) s.sync.stop();
  };
  return s;
}

const isOpen = (s, row) => !s.done.has(row) || s.done.get(row).action === "reopen";

function receivePage(s, data) {
  s.data = data;
  s.root.classList.toggle("dark", isDark(s.root));
  if (!s.journal || s.journal.name !== data.journal) {
    if (s.sync) s.sync.stop();
    s.journal = openJournal(data.journal);
    s.sync = openSync(s.journal, () => drawGridSaved(s));
    s.done = lastByRow(s.journal.waiting.values());
    s.view = null;
    if (s.journal.waiting.size) s.sync.touch();
  }
  s.sync.send = s.send;
  s.journal.ack(data.acked);
  const fresh = s.view !== data.view;
  if (fresh) {
    s.view = data.view;
    s.page = null;
    s.done = lastByRow(s.journal.waiting.values());
    takeFocus(s.root);
  }
  if (!s.page || s.page.stale) offer(s, data.pages);
  drawGridStrip(s);
  drawGridSaved(s);
  warmUp(s);
}

// The first page that the server offers and that still has an open image.
function offer(s, offered) {
  const page = offered.find((one) => one.items.some((item) => isOpen(s, item.row)));
  openPage(s, page ? { ...page, items: page.items.filter((item) => isOpen(s, item.row)) } : null, []);
}

function openPage(s, page, marked) {
  s.page = page;
  s.marked = new Set(marked);
  s.frame = 0;
  s.shownAt = performance.now();
  drawPage(s);
}

function warmUp(s) {
  for (const page of s.data.pages) {
    for (const item of page.items) s.pool.get(tileUrl(s, item));
    for (const row of page.exemplars.slice(0, 8)) fetchAhead(at(s.data.urls.thumb, row));
  }
}

const tileUrl = (s, item) => at(item.w > 128 || item.h > 128 ? s.data.urls.image : s.data.urls.thumb, item.row);

// Acts ---------------------------------------------------------------------------------------------

function mark(s, index) {
  if (!s.page || index >= s.page.items.length) return;
  const row = s.page.items[index].row;
  if (!s.marked.delete(row)) s.marked.add(row);
  s.frame = index;
  drawPage(s);
}

function commit(s) {
  const page = s.page;
  if (!page) return;
  const each = Math.round((performance.now() - s.shownAt) / page.items.length);
  for (const item of page.items) {
    if (s.marked.has(item.row)) continue;
    const entry = s.journal.add({ row: item.row, action: "keep", label: null, labels: [], ms: each, revealed: false, mode: "page", position: item.position });
    s.done.set(item.row, entry);
  }
  const rows = [...s.marked];
  remember(s, { page, marked: rows });
  s.sync.touch();
  s.live.textContent = `${page.items.length - rows.length} kept, ${rows.length} marked`;
  drawGridStrip(s);
  drawGridSaved(s);
  if (rows.length) {
    s.sync.flush();
    s.follow({ page: page.items[0].row, rows, time: Date.now() });
    openPage(s, { ...page, items: [], stale: true }, []);
    return;
  }
  offer(s, s.data.pages);
  if (!s.page) {
    openPage(s, { ...page, items: [], stale: true }, []);
    s.sync.flush();
  }
}

const memoryOf = (s) => `${s.data.journal}:lastpage`;

function remember(s, last) {
  try { sessionStorage.setItem(memoryOf(s), JSON.stringify(last)); } catch { s.last = last; }
}

function lastPage(s) {
  try { return JSON.parse(sessionStorage.getItem(memoryOf(s))); } catch { return s.last || null; }
}

function pageBack(s) {
  const last = lastPage(s);
  if (!last || !last.page) {
    s.live.textContent = "No page to take back.";
    return;
  }
  for (const item of last.page.items) {
    const entry = s.journal.add({ row: item.row, action: "reopen", label: null, labels: [], ms: null, revealed: false, mode: "page", position: item.position });
    s.done.set(item.row, entry);
  }
  remember(s, null);
  s.sync.touch();
  openPage(s, last.page, last.marked);
  drawGridStrip(s);
  drawGridSaved(s);
  s.live.textContent = "Last page taken back.";
}

function move(s, by) {
  if (!s.page) return;
  const next = s.frame + by;
  if (next >= 0 && next < s.page.items.length) s.frame = next;
  drawPage(s);
}

function enlarge(s, on) {
  if (!on) {
    s.large?.remove();
    s.large = null;
    return;
  }
  const item = s.page && s.page.items[s.frame];
  if (!item || s.large) return;
  const image = new Image();
  image.src = at(s.data.urls.image, item.row);
  image.alt = "";
  s.large = h("div", { class: "large" }, image);
  const size = () => {
    if (!s.large) return;
    const drawn = drawnSize(image.naturalWidth || item.w, image.naturalHeight || item.h, s.tiles.clientWidth, s.tiles.clientHeight);
    image.style.width = `${drawn.width}px`;
    image.style.height = `${drawn.height}px`;
  };
  image.onload = size;
  s.tiles.append(s.large);
  size();
}

function gridKey(s, event) {
  if (!s.data || !s.root.isConnected) return;
  if (event.key === "Escape" && s.overlay) { toggleGridKeys(s); return; }
  if (!isForUs(event, s.root)) return;
  if (event.ctrlKey) {
    if (event.key.toLowerCase() === "z") { event.preventDefault(); pageBack(s); }
    return;
  }
  if (event.key === "?") { event.preventDefault(); toggleGridKeys(s); return; }
  if (s.overlay) return;
  const place = CODES.indexOf(event.code);
  const moves = {
    ArrowLeft: () => move(s, -1), ArrowRight: () => move(s, 1), ArrowUp: () => move(s, -COLUMNS), ArrowDown: () => move(s, COLUMNS),
    " ": () => mark(s, s.frame), Enter: () => commitIfAny(s), Backspace: () => pageBack(s), g: () => s.go("single"), G: () => s.go("single"),
    h: () => enlarge(s, true), H: () => enlarge(s, true),
  };
  const act_ = place >= 0 ? () => mark(s, place) : moves[event.key];
  if (!act_) return;
  event.preventDefault();
  act_();
}

function commitIfAny(s) {
  if (s.page && s.page.items.length) commit(s);
}

// Drawing --------------------------------------------------------------------------------------------

function drawPage(s) {
  const page = s.page;
  s.root.classList.toggle("nothing", !page);
  if (!page) {
    s.q.replaceChildren();
    s.tiles.replaceChildren(h("div", { class: "end all" }, h("b", null, s.data.filtered ? "Nothing left under these filters." : "Nothing is left in the queue."),
      s.data.filtered ? h("button", { type: "button", class: "primary", onclick: () => s.go("clear") }, "Clear filters") : null));
    s.panel.replaceChildren(h("span", { class: "sp" }), h("div", { class: "foot" }, s.saved));
    s.legend.replaceChildren();
    return;
  }
  const name = s.data.classes[page.label];
  s.q.replaceChildren(h("span", null, "Which of these are ", h("b", null, "not"), article(name)), named("span", name, { class: "given" }),
    h("span", { class: "meta" }, page.items.length ? plural(page.items.length, "image") : ""));
  if (!page.items.length) {
    s.tiles.replaceChildren(...CODES.map(() => h("div", { class: "skeleton" })));
  } else {
    const tabbed = s.tiles.contains(s.root.getRootNode().activeElement);
    s.tiles.replaceChildren(...page.items.map((item, i) => tile(s, item, i, name)));
    if (tabbed) s.tiles.children[s.frame].focus({ preventScroll: true });
  }
  drawSide(s);
  const small = (letter, words, act_) => h("button", { type: "button", class: "plainbtn", onclick: act_ }, cap(letter, true), words);
  s.legend.replaceChildren(small("Enter", "commit", () => commitIfAny(s)), small("Space", "mark", () => mark(s, s.frame)),
    h("span", { class: "plainbtn" }, cap("← ↑ ↓ →", true), "move"), small("⌫", "last page back", () => pageBack(s)),
    small("G", "single", () => s.go("single")), small("?", "all keys", () => toggleGridKeys(s)));
}

const article = (name) => (/^[aeiou]/i.test(oneLine(name)) ? " an" : " a");

function tile(s, item, i, name) {
  const on = s.marked.has(item.row);
  const image = s.pool.get(tileUrl(s, item));
  image.alt = `image ${i + 1}, given label ${short(name, 60)}`;
  const node = h("button", {
    type: "button", class: `tile${on ? " x" : ""}${i === s.frame ? " f" : ""}`,
    role: "checkbox", "aria-checked": String(on), title: short(item.path, 60),
    onclick: () => mark(s, i),
  }, image, cap(s.letters[i]), on ? h("div", { class: "lab" }, icon("close", 15), h("span", null, `not${article(name)} `, named("span", name, {}, 18))) : null);
  return node;
}

function drawSide(s) {
  const page = s.page;
  const n = s.marked.size;
  const kept = page.items.length - n;
  const known = page.exemplars.slice(0, 8);
  s.panel.replaceChildren(
    h("div", { class: "q tally" }, h("b", { class: "num" }, String(n)), " marked", h("span", { class: "cap" }, `${kept} will be kept`)),
    h("div", { class: "sec" },
      h("button", { type: "button", class: "primary commit", disabled: !page.items.length, onclick: () => commitIfAny(s) }, "Commit page", cap("Enter")),
      h("div", { class: "cap" }, n === 0 ? "Mark what does not belong; the rest is kept."
        : n === 1 ? "The marked image follows, with suggestions, at the end of this page."
          : `The ${n} marked images follow one by one, with suggestions, at the end of this page.`)),
    h("div", { class: "sec" },
      h("div", { class: "hd" }, h("b", null, "What ", named("i", s.data.classes[page.label], {}, 18), " means here")),
      known.length ? h("div", { class: "thumbs g4" }, known.map((row) => thumb(at(s.data.urls.thumb, row), "example")))
        : missing("No other image of this class.")),
    h("div", { class: "sec keysec" }, h("div", { class: "hd" }, h("b", null, "Keys lie as the images do")),
      h("div", { class: "keymap", "aria-hidden": "true" }, s.letters.map((letter, i) => {
        const item = page.items[i];
        return h("kbd", { class: item && s.marked.has(item.row) ? "on" : item ? "" : "s" }, letter);
      })),
      h("div", { class: "cap" }, "Press again to unmark. ", cap("H"), " hold for a larger view.")),
    h("span", { class: "sp" }), h("div", { class: "foot" }, s.saved));
}

function drawGridStrip(s) {
  fillStrip(s);
}

function drawGridSaved(s) {
  const [name, words] = savedWords(s.journal, s.sync);
  if (words === s.savedWords) return;
  s.savedWords = words;
  s.saved.replaceChildren(icon(name, 16), words);
  s.saved.className = `saved ${name}`;
  clearTimeout(s.sayLater);
  s.sayLater = setTimeout(() => { s.live.textContent = words; }, 1200);
}

function toggleGridKeys(s) {
  if (s.overlay) {
    s.overlay.remove();
    s.overlay = null;
    return;
  }
  s.overlay = keysOverlay(PAGE_KEYS, () => toggleGridKeys(s));
  s.root.append(s.overlay);
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  let s = grids.get(parentElement);
  if (!s || !s.root.isConnected) {
    if (s) s.destroy();
    s = newGrid(parentElement);
    grids.set(parentElement, s);
  }
  s.attach();
  s.send = (entries) => setStateValue("log", entries);
  s.follow = (marked) => setStateValue("marked", marked);
  s.go = (where) => { s.sync.flush(); setTriggerValue("go", where); };
  fitHeight(s.root);
  receivePage(s, data);
  return s.destroy;
}
