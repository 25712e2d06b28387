import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { hereBefore, noteHere } from "../../pages/_components/review/here.js";
import {
  leftWords,
  meanwhileWords,
  newsOf,
  noteTold,
  toldBefore,
} from "../../pages/_components/desk/meanwhile.js";
import { openJournal } from "../../pages/_components/desk/journal.js";
import * as queues from "../../pages/_components/review/queue.js";
import { comeBack } from "../../pages/_components/review/staying.js";
import { ForbiddenStore, MemoryStore } from "./storage.js";

const data = (more = {}) => ({ journal: "lnl:1", narrow: "[]", focus: [], marked: [], ...more });
const at = (row) => ({ item: row === null ? null : { row } });

beforeEach(() => {
  globalThis.sessionStorage = new MemoryStore();
});

test("a tab knows its image again, under the same filters and for the same reviewer", () => {
  noteHere({ data: data(), queue: at(7) });
  assert.equal(hereBefore({ data: data() }), 7);
  assert.equal(hereBefore({ data: data({ narrow: '["ant"]' }) }), null);
  assert.equal(hereBefore({ data: data({ journal: "lnl:1:bob" }) }), null);
});

test("what the page asks for goes first: a shared link, what a page marked", () => {
  noteHere({ data: data(), queue: at(7) });
  assert.equal(hereBefore({ data: data({ focus: [3] }) }), null);
  assert.equal(hereBefore({ data: data({ marked: [3] }) }), null);
});

test("at the end there is nothing to come back to, nor where the storage is off", () => {
  noteHere({ data: data(), queue: at(7) });
  noteHere({ data: data(), queue: at(null) });
  assert.equal(hereBefore({ data: data() }), null);
  globalThis.sessionStorage = new ForbiddenStore();
  noteHere({ data: data(), queue: at(7) });
  assert.equal(hereBefore({ data: data() }), null);
  sessionStorage.getItem = () => "no JSON";
  assert.equal(hereBefore({ data: data() }), null);
});

test("a new ranking changes what comes, not what is at hand", () => {
  const queue = queues.openQueue([]);
  const items = (...rows) => rows.map((row) => ({ row, given: 0, path: "", w: 8, h: 8 }));
  queues.receiveItems(queue, items(1, 2, 3), new Map());
  queues.moveTo(queue, 1);
  queues.receiveItems(queue, items(9, 8, 3), new Map()); // the present image is not among the first any more
  assert.equal(queue.item.row, 2);
  assert.deepEqual(
    queue.list.map(({ row }) => row),
    [1, 2, 9, 8, 3],
  );
});

test("an image that is asked for takes no other's place, and holds nothing up", () => {
  const queue = queues.openQueue([]);
  const desk = { queue, awaited: 7, data: data({ asked: null }) };
  assert.equal(comeBack(desk, null), true); // nothing is shown until the server answers
  queues.receiveItems(queue, [{ row: 5 }, { row: 7 }], new Map());
  queues.moveTo(queue, 0); // by undo
  assert.equal(comeBack(desk, null), false);
  desk.data.asked = 7; // late
  assert.equal(comeBack(desk, null), false);
  assert.equal(queue.item.row, 5);
});

test("an image that stays in a queue that begins anew goes first, or is asked for", async () => {
  const asked = [];
  const desk = { queue: queues.openQueue([]), awaited: null, data: data({ asked: null }) };
  desk.go = (where) => asked.push(where);
  queues.receiveItems(desk.queue, [{ row: 5 }], new Map());
  assert.equal(comeBack(desk, 7), true);
  await new Promise((done) => setTimeout(done));
  assert.deepEqual([asked, desk.queue.item, desk.awaited], [["here:7"], null, 7]);
  desk.awaited = null; // as its answer would
});

const CLASSES = ["cat", "dog", "cow"];
const said = (action, label = null, labels = []) => ({ action, label, labels });
const both = (first, second, more = {}) =>
  meanwhileWords(CLASSES, {
    ...{ cid: "c", row: 1, given: 0, by: "Kim", you: false, before: "b", minutes: 0 },
    ...{ first, second },
    ...more,
  });

test("a second answer is told with the first", () => {
  assert.equal(
    both(said("keep"), said("relabel", 1)),
    "Kim said cat a moment ago; yours: dog, recorded as second.",
  );
  assert.equal(
    both(said("multiple", null, [0, 2]), said("none"), { minutes: 12 }),
    "Kim said cat + cow 12 minutes ago; yours: none fits, recorded as second.",
  );
  assert.equal(
    both(said("relabel", 1), said("relabel", 1), { minutes: 6000 }),
    "Kim said dog before, as you do: recorded as second.",
  );
  assert.equal(
    both(said("keep"), said("unsure"), { you: true }),
    "You said cat a moment ago in another window; now: unsure.",
  );
});

test("what stands though it was to be taken back is told, its words where a label is shown", () => {
  const back = /** @type {any} */ ({ cid: "c", row: 1, you: true, before: "b" });
  const whole = { ...back, given: 0, minutes: 0, first: said("keep") };
  const stands = "in another window, and that stands.";
  assert.equal(leftWords(CLASSES, whole, 1), `Not taken back: you said cat a moment ago ${stands}`);
  assert.equal(leftWords(CLASSES, whole, 3), `Not taken back: 3 images were answered ${stands}`);
  assert.doesNotMatch(leftWords(CLASSES, back, 1), /cat/);
});

test("a change of mind in this window is no news, nor is what was told before page mode and back", () => {
  for (const store of [new MemoryStore(), new ForbiddenStore()]) {
    globalThis.sessionStorage = /** @type {any} */ (store);
    const keep = /** @type {any} */ ({ row: 1, action: "keep", label: null, labels: [] });
    const mine = openJournal("lnl:1", null).add(keep).cid; // of page mode, say
    const news = (/** @type {object} */ more) =>
      /** @type {any} */ ({ cid: "c", before: mine, you: true, ...more });
    const data = (/** @type {any[]} */ ...all) => ({ journal: "lnl:1", meanwhile: all });
    const ids = (/** @type {any} */ { meanwhile }) =>
      newsOf(meanwhile, toldBefore(data())).map(({ cid }) => cid);
    assert.deepEqual(ids(data(news({}))), []);
    assert.deepEqual(ids(data(news({ before: `${mine}~7` }))), []); // it went to a copy
    assert.deepEqual(ids(data(news({ before: "another window's" }))), ["c"]);
    const kims = data(news({ you: false, before: "kim" }));
    assert.deepEqual(ids(kims), ["c"]);
    noteTold(kims);
    assert.deepEqual(ids(kims), []);
    noteTold(data());
  }
});
