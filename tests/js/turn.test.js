import assert from "node:assert/strict";
import { test } from "node:test";

import * as turns from "../../pages/_components/review/turn.js";

const turn = (more = {}) => ({ ...turns.openTurn(false), ...more });
const wrong = turn({ phase: "wrong" });

test("before an answer nothing is advised, unless the mode or the person wants it", () => {
  assert.equal(turns.advises(turn(), "commit"), false);
  assert.equal(turns.advises(turn(), "assisted"), true);
  assert.equal(turns.advises(turn({ revealed: true }), "commit"), true);
  assert.equal(turns.advises(turns.openTurn(true), "commit"), true);
});

test("a blind look shows no advice, whatever was pressed", () => {
  assert.equal(turns.advises(wrong, "blind"), false);
  assert.equal(turns.advises(turn({ revealed: true }), "blind"), false);
  assert.equal(turns.sawAdvice(turn(), "blind", "relabel", false), false);
});

test("Enter relabels nothing that is hardly wrong before somebody has called it wrong", () => {
  assert.equal(turns.isHasty(turn({ revealed: true }), 0.01), true);
  assert.equal(turns.isHasty(turn({ revealed: true }), 0.4), false);
  assert.equal(turns.isHasty(wrong, 0.01), false);
  assert.equal(turns.isHasty(turn(), null), false); // not scored yet
});

test("a blind answer saw no advice", () => {
  for (const action of ["keep", "none", "unsure", "skip"]) {
    assert.equal(turns.sawAdvice(turn(), "commit", action, false), false);
  }
});

test("after a blind Wrong the class may follow the advice, and the verdict stays blind", () => {
  for (const action of ["relabel", "multiple", "none"]) {
    assert.equal(turns.sawAdvice(wrong, "commit", action, true), false);
  }
});

test("a verdict that takes the Wrong back has seen the advice, once it was asked for", () => {
  assert.equal(turns.sawAdvice(wrong, "commit", "keep", true), true);
  assert.equal(turns.sawAdvice(wrong, "commit", "keep", false), false);
});

test("what was shown on request, or by the mode, was seen", () => {
  assert.equal(turns.sawAdvice(turn({ revealed: true }), "commit", "keep", true), true);
  assert.equal(turns.sawAdvice(turn(), "assisted", "relabel", false), true);
});

test("what was shown at an earlier turn was seen, except where a page had called the label wrong", () => {
  const again = turns.openTurn(false, true); // E, right, left; or W, Enter, Z
  assert.equal(turns.advises(again, "commit"), false); // not shown again unasked
  for (const action of ["keep", "relabel", "none"]) {
    assert.equal(turns.sawAdvice(again, "commit", action, true), true, action);
  }
  const marked = turns.openTurn(true, true);
  assert.equal(turns.sawAdvice(marked, "commit", "relabel", true), false); // the verdict came before
  assert.equal(turns.sawAdvice(marked, "commit", "keep", true), true);
  const led = turns.openTurn(true, true, true); // E before the page, in another window perhaps
  assert.equal(turns.sawAdvice(led, "commit", "relabel", true), true);
  const reloaded = turns.openTurn(false, false, true);
  assert.equal(turns.advises(reloaded, "commit"), false);
  assert.equal(turns.sawAdvice(reloaded, "commit", "keep", false), true);
});

test("taking back the Wrong leaves what was seen", () => {
  const seen = turn({ phase: "wrong", overlay: "given" });
  turns.takeBackWrong(seen, true);
  assert.deepEqual([seen.phase, seen.revealed, seen.overlay], ["ask", true, ""]);
  const blind = turn({ phase: "wrong" });
  turns.takeBackWrong(blind, false);
  assert.equal(turns.sawAdvice(blind, "commit", "keep", false), false);
});

test("C goes round the maps, and leaves the difference for none", () => {
  assert.equal(turns.nextMap(""), "suggested");
  assert.equal(turns.nextMap("suggested"), "given");
  assert.equal(turns.nextMap("given"), "");
  assert.equal(turns.nextMap("difference"), "");
});

test("an answer taken back after a reload may have had the advice beside it", () => {
  for (const action of ["relabel", "multiple", "none"]) {
    assert.equal(turns.mayHaveAdvised({ action, mode: "commit" }), true, action); // after Wrong
    assert.equal(turns.mayHaveAdvised({ action, mode: "blind" }), false, action);
    assert.equal(turns.mayHaveAdvised({ action, mode: "commit", no_class: true }), false, action);
    assert.equal(turns.mayHaveAdvised({ action, no_class: true, revealed: true }), true, action);
  }
  for (const action of ["keep", "unsure", "skip"]) {
    assert.equal(turns.mayHaveAdvised({ action, mode: "commit" }), false, action);
    assert.equal(turns.mayHaveAdvised({ action, revealed: true }), true, action);
  }
});
