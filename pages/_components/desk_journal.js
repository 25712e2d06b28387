// No press is lost: every answer is written to this browser first, sent, and kept until the server
// says that it has it. Each answer lies under a key of its own, so two tabs do not overwrite one
// another, and the server stores an answer that arrives twice only once.

function freshId() {
  if (window.crypto.randomUUID) return window.crypto.randomUUID();
  const bytes = window.crypto.getRandomValues(new Uint8Array(16)); // plain http in a network
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function openJournal(name) {
  const waiting = new Map(); // cid -> entry, in the order of the presses
  const keyOf = (cid) => `${name}:${cid}`;
  let last = 0;
  try {
    const found = [];
    for (let i = 0; i < localStorage.length; i += 1) {
      const key = localStorage.key(i);
      if (!key.startsWith(`${name}:`)) continue;
      try {
        const entry = JSON.parse(localStorage.getItem(key));
        if (entry && typeof entry.cid === "string" && keyOf(entry.cid) === key) found.push(entry);
      } catch { /* not ours */ }
    }
    found.sort((a, b) => (a.n || 0) - (b.n || 0));
    for (const entry of found) {
      waiting.set(entry.cid, entry);
      last = Math.max(last, entry.n || 0);
    }
  } catch { /* storage is off: answers wait in memory */ }
  return {
    name,
    waiting,
    add(entry) {
      last = Math.max(last + 1, Date.now()); // keeps the order over reloads
      const full = { ...entry, cid: freshId(), n: last, at: new Date().toISOString() };
      waiting.set(full.cid, full);
      try { localStorage.setItem(keyOf(full.cid), JSON.stringify(full)); } catch { /* memory */ }
      return full;
    },
    ack(cids) {
      for (const cid of cids) {
        if (!waiting.delete(cid)) continue;
        try { localStorage.removeItem(keyOf(cid)); } catch { /* memory */ }
      }
    },
  };
}

function connected() {
  const app = document.querySelector("[data-test-connection-state]");
  return !app || app.getAttribute("data-test-connection-state") === "CONNECTED";
}

// Streamlit covers the page with a dialog about its command line when the server is gone. Reviewing
// goes on without the server for a while, and this component says what matters, so the dialog is
// closed as a person would close it.
function closeServerDialog() {
  for (const dialog of document.querySelectorAll('[role="dialog"]')) {
    if (!dialog.textContent.startsWith("Connection error")) continue;
    dialog.querySelector('button[aria-label="Close"]')?.click();
  }
}

// Sends what waits: soon after the last press, at the latest a second after the first, again when
// the connection comes back or no answer came. `send` is replaced at every render.
function openSync(journal, changed) {
  const sync = { send: null, timer: 0, first: 0, sentAt: 0, online: true };
  const flush = () => {
    clearTimeout(sync.timer);
    sync.timer = sync.first = 0;
    if (!sync.send || !journal.waiting.size) return;
    sync.sentAt = performance.now();
    sync.send([...journal.waiting.values()]);
  };
  sync.flush = flush;
  sync.touch = () => {
    const now = performance.now();
    if (!sync.first) sync.first = now;
    clearTimeout(sync.timer);
    sync.timer = setTimeout(flush, Math.max(0, Math.min(150, sync.first + 1000 - now)));
  };
  sync.watch = setInterval(() => {
    const online = connected();
    if (!online) closeServerDialog();
    const back = online && !sync.online;
    if (online !== sync.online) {
      sync.online = online;
      changed();
    }
    const overdue = journal.waiting.size && !sync.timer && performance.now() - sync.sentAt > 4000;
    if (online && (back || overdue)) flush();
  }, 500);
  sync.stop = () => {
    flush();
    clearInterval(sync.watch);
  };
  return sync;
}

function savedWords(journal, sync) {
  const n = journal.waiting.size;
  if (!sync.online) return ["offline", "Connection lost. Your answers are kept here and sent later."];
  if (n) return ["waiting", n === 1 ? "1 answer on its way" : `${count(n)} answers on their way`];
  return ["done", "All answers saved"];
}

// What is true of a row once everything that waits has arrived: its last entry, or null.
function lastByRow(entries) {
  const found = new Map();
  for (const entry of entries) found.set(entry.row, entry);
  return found;
}

const WRONG = new Set(["relabel", "multiple", "none"]);
const counts = (entry) => entry && entry.action !== "skip" && entry.action !== "reopen";

// The server's progress, moved on by the answers that it has not seen yet.
function progressNow(progress, recent, entries) {
  const known = lastByRow([...recent].reverse());
  let { reviewed, wrong } = progress;
  for (const [row, entry] of lastByRow(entries)) {
    const before = known.get(row);
    reviewed += (counts(entry) ? 1 : 0) - (counts(before) ? 1 : 0);
    wrong += (WRONG.has(entry.action) ? 1 : 0) - (before && WRONG.has(before.action) ? 1 : 0);
  }
  return { ...progress, reviewed: Math.max(0, reviewed), wrong: Math.max(0, wrong) };
}

// The last answers that stand, newest first: what waits here on top of what the server has.
function answersNow(recent, entries, itemOf) {
  const seen = new Set();
  const answers = [];
  for (const entry of [...entries].reverse()) {
    if (seen.has(entry.row)) continue;
    seen.add(entry.row);
    const item = itemOf(entry.row);
    if (entry.action !== "reopen" && item) answers.push({ ...item, ...entry });
  }
  for (const answer of recent) if (!seen.has(answer.row)) answers.push(answer);
  return answers;
}

function strip(s) {
  const { data, journal } = s;
  const now = progressNow(data.progress, data.recent || [], [...journal.waiting.values()]);
  const goal = Math.max(now.goal, 1);
  const reached = now.reviewed > now.goal ? " reviewed, all that was proposed" : ` of ${count(now.goal)} reviewed`;
  const share = Math.min(1, now.reviewed / goal);
  const pace = now.seconds_per_image;
  return [
    h("div", null,
      h("div", { class: "k" },
        h("span", null, h("b", null, count(now.reviewed)), reached),
        pace ? h("span", null, `${seconds(pace)} per image`) : null),
      h("div", { class: "bar", style: { marginTop: "9px" } }, h("i", { style: { width: `${100 * share}%` } }))),
    h("div", null,
      h("div", { class: "k" }, h("span", null, "Wrong so far")),
      h("div", { class: "figure" }, h("b", null, count(now.wrong)), " ",
        now.reviewed ? h("span", { class: "cap" }, percent(now.wrong / now.reviewed)) : null)),
    errorsLeft(s, now.errors_left),
  ];
}

// What the images drawn at random say of those that nobody has looked at.
function errorsLeft(s, left) {
  const why = "From images drawn at random and mixed into the queue; holds whatever the queue shows.";
  if (left.estimate === null) {
    return h("div", { class: "left", title: why }, h("div", null,
      h("div", { class: "k" }, h("span", null, "Errors left")),
      h("div", { class: "figure" }, h("span", { class: "cap" },
        `after ${count(left.enough)} random checks (${count(left.audits)} so far)`))));
  }
  if (left.may_stop && !goesOn(s)) {
    const words = `You may stop: at most ${plural(left.limit, "error")} left (95${THIN}%).`;
    if (s.told !== words) {
      s.told = words;
      s.live.textContent = words;
    }
    return h("div", { class: "left stop", title: why }, h("b", null, icon("done", 18), words), h("span", { class: "row" },
      h("button", { type: "button", class: "plainact", onclick: () => goOn(s) }, "Go on"),
      h("button", { type: "button", class: s.tiles ? "plainact" : "primary", onclick: () => s.go("export") }, "Export")));
  }
  return h("div", { class: "left", title: why }, h("div", null,
    h("div", { class: "k" }, h("span", null, `Errors left (95${THIN}%: ${count(left.low)}–${count(left.high)})`)),
    h("div", { class: "figure" }, h("b", null, count(left.estimate)), " ",
      h("span", { class: "cap" }, `of ${count(left.total)} images`))), numberLine(left));
}

// Where the estimate lies between nothing and its upper end, and where the goal is.
function numberLine(left) {
  const [width, end] = [234, 1.12 * Math.max(left.high, left.goal, 1)];
  const x = (value) => 4 + (width - 8) * Math.min(1, value / end);
  const marks = [[left.low, count(left.low)], [left.high, count(left.high)]];
  const apart = 46; // a mark's words need so much room
  const words = [[x(left.goal), `goal ${count(left.goal)}`, true]];
  for (const [value, text] of marks) {
    if (words.every(([place]) => Math.abs(place - x(value)) >= apart)) words.push([x(value), text, false]);
  }
  const anchor = (place) => (place < 26 ? "start" : place > width - 26 ? "end" : "middle");
  return svg("svg", { class: "numberline", viewBox: `0 0 ${width} 40`, width, height: 40, "aria-hidden": "true" },
    svg("line", { class: "axis", x1: 0, x2: width, y1: 15, y2: 15 }),
    svg("line", { class: "range", x1: x(left.low), x2: x(left.high), y1: 15, y2: 15 }),
    svg("line", { class: "goal", x1: x(left.goal), x2: x(left.goal), y1: 7, y2: 23 }),
    svg("circle", { class: "dot", cx: x(left.estimate), cy: 15, r: 5.5 }),
    words.map(([place, text]) => svg("text", { x: anchor(place) === "start" ? 0 : anchor(place) === "end" ? width : place, y: 37, "text-anchor": anchor(place) }, text)));
}

const goesOnKey = (s) => `${s.data.journal}:goes-on`;

function goesOn(s) {
  try { return sessionStorage.getItem(goesOnKey(s)) === "1"; } catch { return Boolean(s.goesOn); }
}

function goOn(s) {
  try { sessionStorage.setItem(goesOnKey(s), "1"); } catch { s.goesOn = true; }
  fillStrip(s);
  s.root.focus({ preventScroll: true });
}

function fillStrip(s) {
  const buttons = () => [...s.stripBox.querySelectorAll("button")];
  const focused = buttons().indexOf(s.root.getRootNode().activeElement);
  s.stripBox.replaceChildren(...strip(s));
  if (focused >= 0) (buttons()[focused] || s.root).focus({ preventScroll: true });
}
