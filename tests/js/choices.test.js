import assert from "node:assert/strict";
import { test } from "node:test";

import { chanceWords, ifSoWords } from "../../pages/_components/review/choices.js";

const top = [{ label: 1, prob: 0.9, said: "0.90" }];

test("shares are said to be of wrong labels where there are any, and nothing is left dangling", () => {
  const scored = { p_wrong: 0.93, told: false, top };
  assert.equal(chanceWords(scored) + ifSoWords(scored), "p wrong 0.93, shares if wrong");
  assert.equal(ifSoWords({ ...scored, top: [] }), "");
  const late = { ...scored, p_wrong: null };
  assert.equal(chanceWords(late) + ifSoWords(late), "not yet scored");
  const told = { ...late, told: true };
  assert.equal(chanceWords(told) + ifSoWords(told), "no score: a run was told the answer");
});
