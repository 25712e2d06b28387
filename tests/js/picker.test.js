import assert from "node:assert/strict";
import { test } from "node:test";

import { classKeys } from "../../pages/_components/desk/classes.js";
import * as picker from "../../pages/_components/review/picking.js";

const keysOf = (classes, imported = classes.length) => classKeys({ classes, imported });

const NAMES = ["Tree frog", "frog", "Fire frog", "FROGFISH", "newt"];

test("names that begin with the words come first, each in the order of the classes", () => {
  assert.deepEqual(picker.search(NAMES, " Frog"), [1, 3, 0, 2]);
  assert.deepEqual(picker.search(NAMES, "f"), [1, 2, 3, 0]);
});

test("no words are every class, other words are none", () => {
  assert.deepEqual(picker.search(NAMES, "  "), [0, 1, 2, 3, 4]);
  assert.deepEqual(picker.search(NAMES, "toad"), []);
});

test("a long list is cut, and the search still reaches its end", () => {
  const many = Array.from({ length: 1000 }, (_, i) => `kind ${i}`);
  assert.equal(picker.search(many, "").length, 200);
  assert.deepEqual(picker.search(many, "kind 999"), [999]);
});

test("the first class has the key 1, the tenth the key 0", () => {
  const ten = Array.from("abcdefghij");
  assert.deepEqual(keysOf(ten), [..."1234567890"]);
  assert.equal(keysOf([...ten, "k"]), null);
});

test("classes that are digits keep their own keys", () => {
  assert.deepEqual(keysOf(["3", " 7", "0"]), ["3", "7", "0"]);
  assert.deepEqual(keysOf(["3", "3"]), ["1", "2"]);
  assert.deepEqual(keysOf(["3", "12"]), ["1", "2"]);
});

const { openPicking, type, step, toggle, activeLabel, marked, markFresh, enterSaves } = picker;

test("the given class cannot be the first choice where one is asked for", () => {
  const one = openPicking(NAMES, 0, false);
  assert.equal(activeLabel(one), 1);
  type(one, "tree");
  assert.equal(activeLabel(one), 0); // it is all that there is
  type(one, "toad");
  assert.equal(activeLabel(one), undefined);
});

test("arrows go round the ends of what was found", () => {
  const one = openPicking(NAMES, 4, false);
  step(one, -1);
  assert.equal(activeLabel(one), 4);
  step(one, 1);
  assert.equal(activeLabel(one), 0);
  type(one, "toad");
  step(one, 1);
  assert.equal(activeLabel(one), undefined);
});

test("of several classes the given one is marked, and one alone cannot be saved", () => {
  const several = openPicking(NAMES, 3, true);
  assert.equal(marked(several), null);
  type(several, "fire");
  toggle(several, 2);
  assert.deepEqual(marked(several), [2, 3]);
  assert.equal(several.found.length, NAMES.length); // the search begins anew
  toggle(several, 3);
  assert.equal(marked(several), null);
});

test("who names the given class with the others by keys leaves the mark that it came with", () => {
  const several = openPicking(NAMES, 3, true);
  picker.name(several, 3); // by its digit
  picker.name(several, 0);
  assert.deepEqual(marked(several), [0, 3]);
  picker.name(several, 3); // named again, it goes
  assert.deepEqual([...several.chosen], [0]);
  const last = openPicking(NAMES, 3, true);
  picker.name(last, 0);
  picker.name(last, 3); // the others first
  assert.deepEqual(marked(last), [0, 3]);
  const typed = openPicking(NAMES, 3, true);
  type(typed, "frogf");
  picker.name(typed, Number(activeLabel(typed)));
  assert.deepEqual([...typed.chosen], [3]);
  toggle(typed, 3); // a click on the box, or Enter where the arrows led to it
  assert.deepEqual([...typed.chosen], []);
});

test("of several, what was just called wrong is not marked", () => {
  const several = openPicking(NAMES, 3, true, [], false);
  assert.deepEqual([...several.chosen], []);
  toggle(several, 3);
  toggle(several, 2);
  assert.deepEqual(marked(several), [2, 3]); // still there to be chosen
});

test("a digit is its class until something is typed", () => {
  const keys = keysOf(NAMES);
  const one = openPicking(NAMES, 0, false);
  assert.equal(picker.digitLabel(one, keys, "2"), 1);
  assert.equal(picker.digitLabel(one, keys, "9"), -1); // there is no ninth
  assert.equal(picker.digitLabel(one, keys, "f"), -1);
  type(one, "1");
  assert.equal(picker.digitLabel(one, keys, "2"), -1);
});

test("the second Enter saves, unless something was typed or moved to since", () => {
  const several = openPicking(NAMES, 3, true);
  assert.equal(enterSaves(several), false);
  toggle(several, 2);
  assert.equal(enterSaves(several), true);
  step(several, 1);
  assert.equal(enterSaves(several), false);
  type(several, "newt");
  assert.equal(enterSaves(several), false);
  type(several, "");
  assert.equal(enterSaves(several), true);
});

test("a label that is no class is never found, and begins no choice of several", () => {
  const names = ["?", "cat", "dog"];
  assert.deepEqual(picker.search(names, "", [0]), [1, 2]);
  assert.deepEqual(picker.search(names, "?", [0]), []);
  const one = picker.openPicking(names, 0, false, [0]);
  assert.equal(picker.activeLabel(one), 1);
  const several = picker.openPicking(names, 0, true, [0]);
  assert.deepEqual([...several.chosen], []);
  picker.type(several, "d");
  assert.deepEqual(several.found, [2]);
});

test("a name that is none is offered as a new class, behind what was found", () => {
  const one = openPicking(NAMES, 4, false);
  type(one, "  toad  of the  wood ");
  assert.equal(one.fresh, "toad of the wood");
  assert.equal(activeLabel(one), undefined); // the row of the new class
  type(one, "fro");
  assert.deepEqual(one.found, [1, 3, 0, 2]);
  step(one, -1);
  assert.equal(one.active, 4);
  assert.equal(activeLabel(one), undefined);
  step(one, 1);
  assert.equal(activeLabel(one), 1);
  type(one, "");
  assert.equal(one.fresh, "");
});

test("a class under another spelling is found, not offered anew", () => {
  const one = openPicking([...NAMES, "C", "1-2"], 4, false);
  for (const [text, label] of [
    ["NEWT ", 4],
    ["tree-frog", 0],
    ["fire_FROG", 2],
  ]) {
    type(one, String(text));
    assert.equal(one.fresh, "");
    assert.deepEqual(one.found, [label]);
  }
  for (const text of ["C++", "12", "newts"]) {
    type(one, text);
    assert.equal(one.fresh, text);
  }
});

test("a class that was taken back can be added again", () => {
  const one = openPicking(NAMES, 4, false, [1]);
  type(one, "frog");
  assert.equal(one.fresh, "frog");
  type(one, "Frog");
  assert.equal(one.fresh, "");
});

test("a new class may be marked with others, one in an answer, and stands last", () => {
  const picking = openPicking(["ant", "bee", "cat"], 1, true, [2]);
  type(picking, "cat");
  assert.equal(picking.fresh, "cat"); // retired: it comes back under its number
  type(picking, "owl");
  assert.equal(picking.fresh, "owl");
  markFresh(picking);
  assert.deepEqual([picking.names.at(-1), marked(picking)], ["owl", [1, 3]]);
  toggle(picking, 0);
  assert.deepEqual(marked(picking), [0, 1, 3]);
  type(picking, "yak");
  assert.equal(picking.fresh, "");
  const again = openPicking(["ant", "bee", "cat"], 1, true, [0]);
  type(again, "ant");
  markFresh(again);
  toggle(again, 2);
  assert.deepEqual(marked(again), [1, 2, 0]);
});

test("a label that is no class is never a new one, and the words say so", () => {
  const names = ["ant", "Not sure", "cat"]; // the last is retired
  for (const several of [false, true]) {
    const picking = openPicking(names, 0, several, [1, 2], several, [1]);
    for (const text of ["Not sure", "not-sure "]) {
      type(picking, text);
      assert.deepEqual([picking.found, picking.fresh], [[], ""]);
      assert.match(picker.nothingFound(picking), /^Not sure is no class\. Esc, then U .* N /);
    }
    type(picking, "cat");
    assert.equal(picking.fresh, "cat");
    type(picking, "cAt");
    assert.equal(picker.nothingFound(picking), "No class of that name.");
  }
});
