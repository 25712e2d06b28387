import assert from "node:assert/strict";
import { test } from "node:test";

import { nextKind, teamWords } from "../../pages/_components/desk/ends.js";

const ENDS = { put_off: 3, disagreements: 0, unsure: 0 };

test("what waits on Team is said with its number, and nothing where nothing waits", () => {
  assert.equal(teamWords(undefined), "");
  assert.equal(teamWords(ENDS), "");
  assert.equal(teamWords({ ...ENDS, disagreements: 1 }), "1 disagreement to settle");
  const both = teamWords({ ...ENDS, disagreements: 2, unsure: 1 });
  assert.equal(both, "2 disagreements to settle, 1 unsure image");
});

test("a queue's end has no second primary button beside suggestions to be accepted", () => {
  const ends = { put_off: 0, disagreements: 0, unsure: 0 };
  assert.equal(nextKind({ ends: { ...ends, accepts: true } }), "plainact");
  assert.equal(nextKind({ ends }), "primary");
  assert.equal(nextKind({}), "primary");
});
