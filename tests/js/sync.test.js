import assert from "node:assert/strict";
import { test } from "node:test";

import { openJournal } from "../../pages/_components/desk/journal.js";
import { openSync } from "../../pages/_components/desk/sync.js";

// The page as far as the sync looks at it: Streamlit says there whether it is connected.
const page = { state: "CONNECTED" };
globalThis.window = globalThis;
globalThis.document = {
  querySelector: () => ({ getAttribute: () => page.state }),
  querySelectorAll: () => [],
};

// A sync with a server that only notes what arrives, and a clock that the test moves.
function started(t) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  page.state = "CONNECTED";
  const clock = { time: 10_000, now: () => clock.time };
  const journal = openJournal("lnl:1", null);
  const changes = [];
  const sync = openSync(journal, () => changes.push(sync.online), clock);
  const sent = [];
  sync.send = (entries) => sent.push(entries.map(({ row }) => row));
  sync.start();
  t.after(() => sync.stop());
  const pass = (ms) => {
    for (let gone = 0; gone < ms; gone += 10) {
      clock.time += 10;
      t.mock.timers.tick(10);
    }
  };
  const press = (row) => {
    const entry = journal.add({ row, action: "keep" });
    sync.touch();
    return entry.cid;
  };
  return { journal, sync, sent, changes, pass, press };
}

test("presses in a row are sent together, soon after the last", (t) => {
  const { sent, pass, press } = started(t);
  press(1);
  pass(100);
  press(2);
  pass(140);
  assert.deepEqual(sent, []);
  pass(20);
  assert.deepEqual(sent, [[1, 2]]);
});

test("whoever never rests is sent for once a second", (t) => {
  const { sent, pass, press } = started(t);
  for (let row = 0; row < 15; row++) {
    press(row);
    pass(100);
  }
  assert.equal(sent.length, 1);
  assert.equal(sent[0].length, 10);
});

test("what the server does not acknowledge is sent again, until it does", (t) => {
  const { journal, sent, pass, press } = started(t);
  const cid = press(7);
  pass(4000);
  assert.deepEqual(sent, [[7]]);
  pass(1000);
  assert.deepEqual(sent, [[7], [7]]);
  journal.ack([cid]);
  pass(20_000);
  assert.equal(sent.length, 2);
});

test("a lost connection is told, and its return sends what waits", (t) => {
  const { sync, sent, changes, pass, press } = started(t);
  page.state = "DISCONNECTED";
  pass(500);
  assert.deepEqual(changes, [false]);
  press(3);
  pass(500); // the answer went nowhere, and is not overdue yet
  assert.deepEqual(sent, [[3]]);
  page.state = "CONNECTED";
  pass(500);
  assert.deepEqual(changes, [false, true]);
  assert.deepEqual(sent, [[3], [3]]);
  assert.equal(sync.online, true);
});

test("nothing is sent where nothing waits, and leaving sends what does", (t) => {
  const { sync, sent, pass, press } = started(t);
  sync.flush();
  pass(10_000);
  assert.deepEqual(sent, []);
  press(4);
  sync.stop();
  assert.deepEqual(sent, [[4]]);
});
