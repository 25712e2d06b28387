import assert from "node:assert/strict";
import { test } from "node:test";

import { openJournal } from "../../pages/_components/desk/journal.js";
import { ForbiddenStore, MemoryStore } from "./storage.js";

const NAME = "lnl:1:2026:ann";
const answer = (row, action = "keep") => ({
  row,
  action,
  label: null,
  labels: [],
  ms: 5,
  revealed: false,
  mode: "commit",
});
const rows = (journal) => [...journal.waiting.values()].map((entry) => entry.row);

test("an answer is in the storage before anything is sent", () => {
  const store = new MemoryStore();
  const entry = openJournal(NAME, store).add(answer(7));
  assert.deepEqual(JSON.parse(store.getItem(`${NAME}:${entry.cid}`)), entry);
});

test("after a reload the answers wait in the order of the presses", () => {
  const store = new MemoryStore();
  const before = openJournal(NAME, store);
  for (const row of [3, 1, 2]) before.add(answer(row));
  store.kept = new Map([...store.kept].reverse()); // storage promises no order
  const after = openJournal(NAME, store);
  assert.deepEqual(rows(after), [3, 1, 2]);
  after.add(answer(9));
  assert.deepEqual(rows(after), [3, 1, 2, 9]);
});

test("answers get rising numbers, also where the clock stands still or goes back", () => {
  const store = new MemoryStore();
  const late = { ...answer(1), cid: "a", n: Date.now() + 1e9, at: "" };
  store.setItem(`${NAME}:a`, JSON.stringify(late));
  const journal = openJournal(NAME, store);
  const [first, second] = [journal.add(answer(2)), journal.add(answer(3))];
  assert.equal(first.n, late.n + 1);
  assert.equal(second.n, late.n + 2);
});

test("what the server has is forgotten, in memory and in the storage", () => {
  const store = new MemoryStore();
  const journal = openJournal(NAME, store);
  const [first] = [journal.add(answer(1)), journal.add(answer(2))];
  journal.ack([first.cid, "unknown"]);
  assert.deepEqual(rows(journal), [2]);
  assert.equal(store.length, 1);
});

test("two tabs do not overwrite one another", () => {
  const store = new MemoryStore();
  const [one, two] = [openJournal(NAME, store), openJournal(NAME, store)];
  one.add(answer(1));
  two.add(answer(2));
  assert.deepEqual(rows(openJournal(NAME, store)).sort(), [1, 2]);
});

test("a journal reads neither another's answers nor what is no answer", () => {
  const store = new MemoryStore();
  openJournal("lnl:1:2026:bob", store).add(answer(5));
  store.setItem(`${NAME}:goes-on`, "1");
  store.setItem(`${NAME}:broken`, "{");
  store.setItem(`${NAME}:x`, JSON.stringify({ cid: "y", row: 3 }));
  assert.equal(openJournal(NAME, store).waiting.size, 0);
});

test("without storage answers wait in memory", () => {
  for (const store of [null, new ForbiddenStore()]) {
    const journal = openJournal(NAME, store);
    const { cid } = journal.add(answer(4));
    assert.deepEqual(rows(journal), [4]);
    journal.ack([cid]);
    assert.deepEqual(rows(journal), []);
  }
});

test("ids differ also on plain http, where the browser makes none", (t) => {
  Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
  t.after(() => Reflect.deleteProperty(crypto, "randomUUID"));
  const journal = openJournal(NAME, null);
  const ids = [1, 2, 3].map((row) => journal.add(answer(row)).cid);
  assert.equal(new Set(ids).size, 3);
  assert.match(ids[0], /^[0-9a-f]{8}\.[0-9a-f]{32}$/);
});
