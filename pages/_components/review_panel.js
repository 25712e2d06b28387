// The panel beside the picture: what the class means before the answer, the evidence after it.

function section(title, side, ...children) {
  return h("div", { class: "sec" },
    h("div", { class: "hd" }, title, side === null ? null : h("span", { class: "sp" }), side), ...children);
}

// A thumbnail that says its label and verdict, and opens its image.
function neighbour(s, evidence, row, under = null) {
  const said = evidence.said?.[row] || "";
  const tell = (words) => s.panel.querySelector(".nears .said")?.replaceChildren(words);
  return h("button", { type: "button", class: "nb", title: `${said} Click to open it.`, "aria-label": `${said} Opens it.`,
    onclick: () => jump(s, row), onmouseenter: () => tell(said), onfocus: () => tell(said), onmouseleave: () => tell(""), onblur: () => tell("") },
  thumb(at(s.data.urls.thumb, row), ""), under);
}

function exemplars(s, label, rows, alt) {
  const name = oneLine(s.data.classes[label]);
  return rows.map((row) => thumb(at(s.data.urls.thumb, row), `${alt} ${name}`));
}

function meansHere(s, label, shown) {
  const known = s.byClass.get(label) || { exemplars: [], confirmed: 0, guide: "" };
  const rows = known.exemplars.filter((row) => row !== (s.item && s.item.row)).slice(0, shown);
  const confirmed = Math.min(known.confirmed, rows.length);
  const words = confirmed === rows.length ? "confirmed by people"
    : confirmed ? `${confirmed} confirmed by people` : "the least doubtful";
  return section(
    h("b", null, "What ", named("i", s.data.classes[label]), " means here"),
    h("span", null, rows.length ? words : ""),
    rows.length ? h("div", { class: "thumbs g5" }, exemplars(s, label, rows, "example of"))
      : missing("No other image of this class."),
    known.guide ? h("div", { class: "cap guide" }, short(known.guide, 240)) : null);
}

function lastAnswers(s, shown) {
  const answers = s.answers().slice(0, shown);
  const rows = answers.map((answer) => {
    const given = s.data.classes[answer.given];
    let words;
    if (answer.action === "relabel") {
      words = h("span", { class: "what" }, named("span", given, {}, 18), " → ", named("b", s.data.classes[answer.label], {}, 18));
    } else if (answer.action === "multiple") {
      words = h("span", { class: "what" }, named("b", answer.labels.map((label) => s.data.classes[label]).join(" + "), {}, 34));
    } else words = h("span", { class: "what" }, named(answer.action === "keep" ? "b" : "span", given));
    return h("div", { class: "li" }, thumb(at(s.data.urls.thumb, answer.row), ""), words, h("span", { class: "sp" }), verdict(answer.action));
  });
  return h("div", { class: "sec grow last" },
    h("div", { class: "hd" }, h("b", null, "Your last answers"), h("span", { class: "sp" }),
      rows.length ? h("span", { class: "row" }, cap("Z"), "takes back the last") : null),
    rows.length ? h("div", { class: "list" }, rows) : missing("None yet. They appear here."));
}

function hint(words) {
  return h("div", { class: "hint" }, icon("hidden", 16), h("span", null, words));
}

// Before the answer: nothing here says what the methods think.
function panelBefore(s) {
  const goal = s.data.progress.goal - s.data.progress.reviewed;
  return [
    h("div", { class: "pc" },
      meansHere(s, s.item.given, s.wide ? 20 : 10),
      s.data.mode === "commit"
        ? hint(["Suggestion after your answer. ", cap("E"), " shows it now, and is recorded."]) : null,
      s.wide ? h("span", { class: "sp" }) : null,
      s.wide ? section(h("b", null, "This session"), null, h("div", { class: "facts" },
        h("div", null, h("div", { class: "cap" }, "Time"), h("b", null, seconds(Math.max(1, (performance.now() - s.born) / 1000)))),
        h("div", null, h("div", { class: "cap" }, "Median"), h("b", null, s.data.progress.seconds_per_image ? seconds(s.data.progress.seconds_per_image) : "–")),
        h("div", null, h("div", { class: "cap" }, "Answers"), h("b", null, count(s.pressed))))) : null),
    h("div", { class: "pc" }, lastAnswers(s, s.wide ? 16 : 7),
      h("div", { class: "foot" }, s.saved, h("span", { class: "sp" }),
        goal > 0 ? h("span", null, `about ${count(goal)} more to reach the goal`) : h("span", null, "Goal reached"))),
  ];
}

// After Wrong -----------------------------------------------------------------------------------

function choices(s, evidence) {
  const keys = classKeys(s.data.classes);
  const rows = (evidence ? evidence.top : []).slice(0, 3).map((option, i) =>
    h("button", { type: "button", class: `choice ${i ? "" : "first"}`, onclick: () => s.act("relabel", { label: option.label }) },
      cap(keys ? keys[option.label] : String(i + 1)),
      named("span", s.data.classes[option.label], { class: "name" }, 22),
      h("span", { class: "bar" }, h("i", { style: { width: `${100 * option.prob}%` } })),
      h("span", { class: "num" }, option.prob.toFixed(2)),
      h("span", { class: "h" }, i ? null : cap("Enter"))));
  const waiting = evidence ? [] : [0, 1, 2].map(() => h("div", { class: "choice idle" }, h("span", { class: "skeleton" })));
  const other = (key, words, act) => h("button", { type: "button", class: "plainbtn", onclick: act }, cap(key), words);
  return h("div", { class: "sec" },
    h("div", { class: "hd big" }, h("b", null, "Which class is it?"), h("span", { class: "sp" }),
      evidence ? h("span", { class: "badge" }, `p wrong ${evidence.p_wrong.toFixed(2)}`) : null),
    h("div", { class: "choices" }, rows, waiting, h("div", { class: "choice other" },
      other("/", "other class", () => s.openPicker(false)), other("M", "multiple", () => s.openPicker(true)),
      other("N", "none fits", () => s.act("none")), other("U", "unsure", () => s.act("unsure")))));
}

function chart(series, low, high, count_, size) {
  const [width, height] = size;
  const left = 26, right = width - 66, top = 8, bottom = height - 20;
  const x = (i) => left + (right - left) * (count_ > 1 ? i / (count_ - 1) : 0);
  const y = (value) => bottom - (bottom - top) * Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  for (const value of [low, (low + high) / 2, high]) {
    node.append(
      svg("line", { class: "gr", x1: left, x2: right, y1: y(value), y2: y(value) }),
      svg("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end" }, String(Math.round(value * 10) / 10)));
  }
  const ends = series.map((one) => y(one.values[one.values.length - 1]) + 4);
  if (ends.length === 2 && Math.abs(ends[0] - ends[1]) < 14) {
    const middle = Math.min(Math.max((ends[0] + ends[1]) / 2, top + 11), bottom - 3);
    const up = ends[0] <= ends[1] ? 0 : 1;
    ends[up] = middle - 7;
    ends[1 - up] = middle + 7;
  }
  series.forEach((one, i) => {
    const path = one.values.map((value, j) => `${j ? "L" : "M"}${x(j).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    node.append(svg("path", { d: path, class: `line ${one.kind}` }),
      svg("text", { x: right + 5, y: ends[i], class: `b ${one.kind}` }, svg("title", null, oneLine(one.name)), short(one.name, 10)));
  });
  node.append(svg("text", { x: left, y: height - 4 }, "epoch 1"),
    svg("text", { x: right, y: height - 4, "text-anchor": "end" }, String(count_)));
  return node;
}

function byEpoch(s, evidence) {
  const curve = evidence.curve;
  const size = s.wide ? [392, 150] : [236, 98];
  if (!curve || curve.given.length < 2) {
    return section(h("b", null, "Probability by epoch"), null, missing("Comes with a run of SR, Jump-teaching or CE."));
  }
  const given = oneLine(s.data.classes[s.item.given]);
  const other = curve.other ? "best other" : oneLine(s.data.classes[evidence.top[0]?.label] ?? "other");
  const node = chart([
    { values: curve.suggested, kind: "suggested", name: other },
    { values: curve.given, kind: "given", name: given },
  ], 0, 1, curve.given.length, size);
  const ends = [curve.given, curve.suggested].map((values) => values[values.length - 1].toFixed(2));
  node.setAttribute("aria-label", `probability by epoch in ${curve.source}: ${given} ends at ${ends[0]}, ${other} at ${ends[1]}`);
  return section(h("b", null, "Probability by epoch"), s.wide ? h("span", null, curve.source) : null, node);
}

function lossByEpoch(s, evidence) {
  const loss = evidence.loss;
  if (!loss || loss.values.length < 2) return section(h("b", null, "Loss by epoch"), null, missing("Comes with a run of CE, SR or Jump-teaching."));
  const node = chart([{ values: loss.values, kind: "given", name: "this image" }], 0, Math.max(1, ...loss.values), loss.values.length, s.wide ? [392, 130] : [236, 98]);
  node.setAttribute("aria-label", `loss of the given label by epoch, last ${loss.values[loss.values.length - 1].toFixed(2)}`);
  return section(h("b", null, "Loss by epoch"), s.wide ? h("span", null, loss.source) : null, node);
}

function opinions(s, evidence) {
  const own = (method) => (s.data.methods[method.key.split("@")[0]]?.baseline ? 1 : 0);
  const all = [...evidence.methods].sort((a, b) => own(a) - own(b));
  const shown = s.wide ? all : all.slice(0, 5);
  const wrong = all.filter((method) => method.wrong).length;
  const base = (key) => key.split("@")[0], known = (key) => s.data.methods[base(key)];
  const alone = (key) => all.filter((method) => base(method.key) === base(key)).length === 1;
  const rows = shown.map((method) => h("div", { class: "opinion" },
    h("span", { class: own(method) ? "base" : "", title: oneLine(method.title) }, short((alone(method.key) && known(method.key)?.name) || method.title, 22)),
    h("span", { class: "bar" }, h("i", { class: own(method) ? "base" : "", style: { width: `${100 * method.suspicion}%` } })),
    method.label === null ? h("span", { class: "cap" }, "–")
      : named("span", s.data.classes[method.label], { class: method.wrong ? "suggested" : "given" }, 12)));
  return section(h("b", null, `${wrong} of ${plural(all.length, "method")}: wrong`), null, h("div", null, rows));
}

// Where both classes have no room of their own (`swap`), a press shows them in place of the ten.
function nearest(s, evidence, swap = false) {
  const near = evidence.neighbours, suggested = evidence.top[0]?.label;
  const both = swap && (s.nearBoth || !near.length);
  const head = (...words) => h("div", { class: "hd" }, h("b", null, both ? "Nearest of both classes" : "Nearest images"),
    h("span", { class: "ofall" }, h("span", { class: "said" }), h("span", null, ...words)),
    swap && near.length ? [h("span", { class: "sp" }), h("button", { type: "button", class: "plainbtn", "aria-pressed": String(Boolean(both)), onclick: (event) => {
      s.nearBoth = !s.nearBoth;
      drawPanel(s);
      if (!event.detail) s.panel.querySelector(".nears .hd button")?.focus({ preventScroll: true }); // by key
    } }, both ? "of all" : "of both classes")] : null);
  const one = (row, label, kind) => neighbour(s, evidence, row, named("div", s.data.classes[label], { class: `cap ${kind}` }, 12));
  if (both) {
    return h("div", { class: "sec nears" }, head(), h("div", { class: "thumbs nbs" },
      evidence.exemplars_given.slice(0, 5).map((row) => one(row, s.item.given, "given")),
      suggested === undefined ? null : evidence.exemplars_suggested.slice(0, 5).map((row) => one(row, suggested, "suggested"))));
  }
  if (!near.length) return section(h("b", null, "Nearest images"), null, missing("Comes with a run of probe or kNN."));
  const tally = new Map();
  for (const each of near) tally.set(each.label, (tally.get(each.label) || 0) + 1);
  const [most, times] = [...tally].reduce((best, each) => (each[1] > best[1] ? each : best));
  return h("div", { class: "sec nears" }, head(`${times} of ${near.length} are labelled `, named("b", s.data.classes[most])),
    h("div", { class: "thumbs nbs" }, near.map((each) => one(each.row, each.label, each.label === most ? "" : "odd"))));
}

function bothClasses(s, evidence) {
  const suggested = evidence.top[0]?.label;
  const side = (label, rows, kind) => h("div", { class: "grow" },
    named("div", s.data.classes[label], { class: `lab ${kind}` }),
    h("div", { class: "thumbs alike" }, rows.slice(0, 5).map((row) => neighbour(s, evidence, row))));
  return section(h("b", null, "Most alike in both classes"), null, h("div", { class: "pair" },
    side(s.item.given, evidence.exemplars_given, "given"),
    suggested === undefined ? null : side(suggested, evidence.exemplars_suggested, "suggested")));
}

// Out of turn: to an image of the evidence, and back to the one whose evidence it was.
function jump(s, row) {
  if (!s.item || row === s.item.row) return;
  s.cameFrom ??= { row: s.item.row, phase: s.phase, revealed: s.revealed };
  s.jumpTo = row;
  s.go(`row:${row}`);
  const known = s.list.some((item) => item.row === row) ? null : s.answers().find((answer) => answer.row === row);
  if (known) {
    const { action, label, labels, cid, ...item } = known;
    s.list.splice(s.at + 1, 0, item);
    s.done.set(row, known);
  }
  land(s);
}

// The image may be here already, or comes with what the server says next.
function land(s) {
  const index = s.jumpTo === null ? -1 : s.list.findIndex((item) => item.row === s.jumpTo);
  if (index < 0) return false;
  s.jumpTo = null;
  show(s, index);
  s.root.focus({ preventScroll: true });
  return true;
}

function back(s) {
  const { row, phase, revealed } = s.cameFrom;
  s.jumpTo = s.cameFrom = null;
  s.go("back");
  show(s, s.list.findIndex((item) => item.row === row));
  if (!s.item || isAnswered(s, row)) return;
  if (revealed) reveal(s);
  if (phase === "wrong") wrong(s);
}

function panelEvidence(s, evidence, failed) {
  if (failed) {
    return [h("div", { class: "pc" }, choices(s, null),
      missing("The evidence cannot be loaded now. Class keys, / and K still work."), h("div", { class: "foot" }, s.saved))];
  }
  if (!evidence) return [h("div", { class: "pc" }, choices(s, null), h("div", { class: "skeleton tall" }))];
  const foot = h("div", { class: "foot late" }, s.saved);
  if (s.wide) {
    return [
      h("div", { class: "pc" }, choices(s, evidence), mapsSection(s, evidence), bothClasses(s, evidence)),
      h("div", { class: "pc" }, byEpoch(s, evidence), opinions(s, evidence), nearest(s, evidence), lossByEpoch(s, evidence),
        h("span", { class: "sp" }), foot),
    ];
  }
  const room = !evidence.maps || evidence.maps.state === "none" || window.innerHeight > 960;
  return [h("div", { class: "pc" }, choices(s, evidence), mapsSection(s, evidence),
    h("div", { class: "two" }, byEpoch(s, evidence), opinions(s, evidence)), nearest(s, evidence, !room),
    room ? h("div", { class: "two more" }, lossByEpoch(s, evidence), bothClasses(s, evidence)) : null,
    h("span", { class: "sp" }), foot)];
}
