import assert from "node:assert/strict";
import { test } from "node:test";

import * as queues from "../../pages/_components/review/queue.js";

const item = (row) => ({ row, given: 0, path: `${row}.png`, w: 8, h: 8, position: row });
const items = (...rows) => rows.map(item);
const rowsOf = (list) => list.map(({ row }) => row);

const queueOf = (rows, at = 0) => {
  const queue = queues.openQueue([]);
  queues.receiveItems(queue, items(...rows), new Map());
  queues.moveTo(queue, at);
  return queue;
};
const say = (queue, row, action = "keep") => queue.done.set(row, { row, action });

test("what was seen stays, what comes is what the server says now", () => {
  const queue = queueOf([1, 2, 3, 4], 1);
  queues.receiveItems(queue, items(4, 2, 9), new Map());
  assert.deepEqual(rowsOf(queue.list), [1, 2, 4, 9]);
  assert.equal(queue.item.row, 2);
});

test("answered rows do not come again, taken back ones do", () => {
  const queue = queues.openQueue([
    { row: 1, action: "keep" },
    { row: 2, action: "keep" },
    { row: 2, action: "reopen" },
  ]);
  queues.receiveItems(queue, items(1, 2, 3), new Map());
  assert.deepEqual(rowsOf(queue.list), [2, 3]);
});

test("where nothing new is left, what was passed by comes again", () => {
  const queue = queueOf([1, 2, 3], 2);
  say(queue, 2);
  queues.receiveItems(queue, items(1, 2, 3), new Map());
  assert.deepEqual(rowsOf(queue.list), [1, 2, 3, 1]);
});

test("outside the list is the end of the queue", () => {
  const queue = queueOf([1, 2], -1);
  assert.equal(queue.item, null);
  assert.equal(queue.at, 2);
  queues.receiveItems(queue, items(2, 5), new Map());
  assert.deepEqual(rowsOf(queue.list), [1, 2, 5]);
});

test("the next open place passes answers by", () => {
  const queue = queueOf([1, 2, 3, 4]);
  say(queue, 2);
  say(queue, 3, "skip");
  assert.equal(queues.nextOpen(queue, 1), 3);
  say(queue, 3, "reopen");
  assert.equal(queues.nextOpen(queue, 1), 2);
  say(queue, 3);
  say(queue, 4);
  assert.equal(queues.nextOpen(queue, 1), -1);
});

test("what was left as it was does not come again, and nothing is awaited for it", () => {
  const queue = queueOf([1, 2], 1);
  const data = { items: items(1, 2), left: [] };
  const desk = { queue, outbox: { journal: { waiting: new Map() } }, data };
  say(queue, 1);
  assert.equal(queues.isComing(desk), true);
  queue.left.add(2);
  assert.equal(queues.isComing(desk), true); // the server does not know it, and may have others
  data.left = [2];
  assert.equal(queues.isComing(desk), false);
  queues.moveTo(queue, -1);
  queues.receiveItems(queue, items(1, 2), new Map());
  assert.equal(queues.nextOpen(queue, 0), -1);
});

test("what lies ahead are the open ones behind the present", () => {
  const queue = queueOf([1, 2, 3, 4, 5], 1);
  say(queue, 3);
  assert.deepEqual(rowsOf(queues.ahead(queue, 10)), [4, 5]);
  assert.deepEqual(rowsOf(queues.ahead(queue, 1)), [4]);
});

test("a long queue forgets what lies far behind, and stays where it is", () => {
  const rows = Array.from({ length: 700 }, (_, i) => i);
  const queue = queueOf(rows, 650);
  assert.equal(queue.item.row, 650);
  assert.equal(queue.list.length, 350);
  assert.equal(queue.list[queue.at].row, 650);
  assert.equal(queue.list[0].row, 350);
  assert.equal(queueOf(rows, 10).item.row, 10);
});

test("an answer's image carries nothing of the answer", () => {
  const more = { action: "keep", label: 1, labels: [], cid: "c", n: 1, at: "", ms: 3 };
  const answered = { ...item(3), ...more, mode: "commit", revealed: true };
  assert.deepEqual(queues.itemOf(answered), item(3));
});

test("an image that comes under another token comes anew, and its first time is forgotten", () => {
  const signed = (row, look) => ({ ...item(row), look });
  const queue = queues.openQueue([]);
  queues.receiveItems(queue, [signed(1, "a"), signed(2, "b"), signed(3, "c")], new Map());
  queue.done.set(1, { row: 1, action: "keep", look: "a" });
  queue.done.set(2, { row: 2, action: "keep", look: "b" });
  queues.moveTo(queue, 2);
  const again = queues.receiveItems(
    queue,
    [signed(2, "b"), signed(1, "again"), signed(4, "d")],
    new Map(),
  );
  assert.deepEqual(again, [1]);
  assert.deepEqual(rowsOf(queue.list), [2, 3, 1, 4]);
  assert.equal(queue.item.row, 3);
  assert.equal(queue.list[queue.at].row, 3);
  assert.equal(queues.isAnswered(queue, 1), false);
  assert.equal(queues.isAnswered(queue, 2), true);
});

test("an image comes anew where the answer that the server had got stands no more", () => {
  const queue = queueOf([1, 2, 3, 4], 3);
  for (const row of [1, 2, 3]) queue.done.set(row, { row, action: "keep", cid: `c${row}` });
  const sent = [item(1), item(2), { ...item(3), said: { action: "keep", cid: "c3" } }];
  assert.deepEqual(queues.receiveItems(queue, sent, new Map([["c1", {}]])), [2]); // c1 is on its way
  assert.deepEqual(rowsOf(queue.list), [1, 3, 4, 2]);
  assert.equal(queue.item.row, 4);
});

test("a skipped image, which has no answer, does not come again in the same pass", () => {
  const queue = queueOf([1, 2, 3], 2);
  queue.done.set(1, { row: 1, action: "skip", cid: "c1" });
  queue.done.set(2, { row: 2, action: "keep", cid: "c2" });
  assert.deepEqual(queues.receiveItems(queue, [item(1), item(2), item(3)], new Map()), [2]);
  assert.equal(queues.isAnswered(queue, 1), true);
});

test("an answer from before there were tokens stays an answer", () => {
  const queue = queues.openQueue([{ row: 1, action: "keep" }]);
  assert.deepEqual(queues.receiveItems(queue, [{ ...item(1), look: "a" }], new Map()), []);
  assert.deepEqual(rowsOf(queue.list), []);
});

test("what an answer replaces is the last one here, else what came with the image or is known", () => {
  const { stoodBefore } = queues;
  const kept = { action: "keep", label: null, labels: [] };
  assert.equal(stoodBefore(item(1), undefined, []), undefined);
  assert.deepEqual(stoodBefore(item(1), { row: 1, ...kept, ms: 5, before: kept }, []), {
    ...kept,
    before: kept,
  });
  assert.equal(
    stoodBefore({ ...item(1), said: kept }, { row: 1, action: "reopen" }, []),
    undefined,
  );
  assert.deepEqual(stoodBefore({ ...item(1), said: kept }, undefined, []), kept);
  assert.equal(stoodBefore({ ...item(1), said: { ...kept, by: "B" } }, undefined, []), undefined);
  assert.equal(stoodBefore({ ...item(1), said: {} }, undefined, []), undefined);
  const last = [{ ...item(1), ...kept, look: "a" }];
  assert.deepEqual(stoodBefore({ ...item(1), look: "a" }, undefined, last), kept);
  assert.equal(stoodBefore({ ...item(1), look: "b" }, undefined, last), undefined); // a hidden look
});

test("the server hears of what was left before nothing is here", () => {
  const queue = queueOf([1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(queues.runsOut(queue), false);
  for (const row of [2, 4]) queue.left.add(row);
  assert.equal(queues.runsOut(queue), false);
  queue.left.add(6);
  assert.equal(queues.runsOut(queue), true);
});
