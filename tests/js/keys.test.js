// Which presses are meant for the desk, with something else on the screen.

import assert from "node:assert/strict";
import test from "node:test";

import { isForUs, keyOf } from "../../pages/_components/desk/keys.js";
import { pressKey as pressPage } from "../../pages/_components/page/keyboard.js";
import { layoutOf, meant } from "../../pages/_components/page/layout.js";
import { pressKey } from "../../pages/_components/review/keyboard.js";

/** @param {string} over what stands on the screen: a role and perhaps aria-modal */
function screen(over) {
  const [role, modal] = over.split(" ");
  globalThis.document = /** @type {any} */ ({
    querySelector: (/** @type {string} */ selector) =>
      selector
        .split(", ")
        .some(
          (each) =>
            each.startsWith(`[role="${role}"]`) && !(modal === "false" && each.includes(":not(")),
        )
        ? {}
        : null,
  });
}

const press = /** @type {any} */ ({ key: "k", composedPath: () => [] });

test("a toast takes no keys, a dialog takes them all", () => {
  for (const [over, ours] of [
    ["none", true],
    ["alertdialog false", true],
    ["alertdialog", false],
    ["dialog", false],
  ]) {
    screen(String(over));
    assert.equal(isForUs(press, /** @type {any} */ ({})), ours, String(over));
  }
});

const LEFT = {
  getAttribute: () => "What is left",
  querySelectorAll: () => [{ dataset: { key: "l" }, click: () => LEFT.clicks.push("l") }],
  remove() {},
  /** @type {string[]} */
  clicks: [],
};

/**
 * What a desk does at a press.
 *
 * @param {typeof pressKey | typeof pressPage} handler
 * @param {object} event
 * @param {boolean} [covered] whether a list lies over it
 * @param {object} [more] of the desk
 */
function pressed(handler, event, covered = false, more = {}) {
  screen(more.over ?? "none");
  const did = [];
  const acts = new Proxy({}, { get: (_, name) => () => did.push(name) });
  const root = { isConnected: true, querySelector: () => (covered ? LEFT : null), focus() {} };
  const desk = {
    acts,
    parts: { root },
    go: (where) => did.push(where),
    queue: { item: { row: 1 }, done: new Map(), left: new Set() },
    outbox: { journal: { waiting: new Map() } },
    data: { mode: "commit", marked: [], items: [], left: [] },
    turn: { phase: "ask" },
    stage: { image: {}, zoom: { scale: 1 } },
    marks: { frame: 0 },
    layout: layoutOf(),
    ...more,
  };
  const whole = { composedPath: () => [], preventDefault() {}, ...event };
  handler(/** @type {any} */ (desk), /** @type {any} */ (whole));
  return did;
}

const CTRL_Z = { key: "z", code: "KeyZ", ctrlKey: true };

test("nothing is taken back behind a list that covers the desk, nor by the keys of redo", () => {
  for (const [handler, undo] of [
    [pressKey, "undo"],
    [pressPage, "pageBack"],
  ]) {
    assert.deepEqual(pressed(handler, CTRL_Z), [undo]);
    assert.deepEqual(pressed(handler, CTRL_Z, true), ["refuse"]);
    assert.deepEqual(pressed(handler, { ...CTRL_Z, key: "Z", shiftKey: true }), []);
    assert.deepEqual(pressed(handler, { key: "?", code: "Slash" }, true), ["toggleKeys"]);
  }
});

test("a list that covers the desk takes the keys that it prints, and says that it has the others", () => {
  for (const handler of [pressKey, pressPage]) {
    assert.deepEqual(pressed(handler, { key: "l", code: "KeyL" }, true), []);
    assert.deepEqual(LEFT.clicks.splice(0), ["l"]);
    for (const [key, code] of [
      ["k", "KeyK"],
      ["Enter", "Enter"],
    ]) {
      assert.deepEqual(pressed(handler, { key, code }, true), ["refuse"], key);
    }
    assert.deepEqual(pressed(handler, { key: "ArrowDown", code: "ArrowDown" }, true), []); // scrolls
  }
});

test("under a popover no key answers, and each says so that would have", () => {
  const within = { composedPath: () => [{ matches: (what) => what.includes("dialog") }] };
  for (const handler of [pressKey, pressPage]) {
    for (const [key, code, more, did] of [
      ["g", "KeyG", {}, ["refuse"]],
      ["g", "KeyG", within, ["refuse"]],
      ["Enter", "Enter", {}, ["refuse"]],
      ["ArrowLeft", "ArrowLeft", within, []], // of what is open
      ["y", "KeyY", {}, []], // no key of the desk
      ["g", "KeyG", { repeat: true }, []],
      ["g", "KeyG", { metaKey: true }, []],
    ]) {
      const event = { key, code, ...more };
      assert.deepEqual(pressed(handler, event, false, { over: "dialog" }), did, key);
    }
  }
});

test("no key of single mode is swallowed without a word", () => {
  const ask = { phase: "ask" };
  const early = ["a", "Enter", "3"]; // before W
  for (const key of early) assert.deepEqual(pressed(pressKey, { key }), ["refuse"], key);
  assert.deepEqual(pressed(pressKey, { key: "/" }), ["pickClass"]); // a name typed next is no answer
  const gone = {
    queue: { item: null, done: new Map(), left: new Set() },
    turn: ask,
    stage: { image: null },
  };
  for (const key of ["k", "w", "Enter", "3", "/", "m"]) {
    assert.deepEqual(pressed(pressKey, { key }, false, gone), ["refuse"], key);
  }
  for (const key of ["z", "l"])
    assert.equal(pressed(pressKey, { key }, false, gone).length, 1, key);
  assert.deepEqual(pressed(pressKey, { key: "g" }, false, { data: { mode: "blind" } }), ["tell"]);
});

test("Esc takes back the Wrong of this image, and no other image's answer", () => {
  const wrong = { turn: { phase: "wrong" } };
  const marked = { ...wrong, data: { mode: "commit", marked: [1] } }; // on a page
  assert.deepEqual(pressed(pressKey, { key: "Escape" }, false, wrong), ["undo"]);
  assert.deepEqual(pressed(pressKey, { key: "Escape" }, false, marked), ["tell"]);
  assert.deepEqual(pressed(pressKey, { key: "Escape" }), []);
});

test("with a picker open its field has every key that types, wherever a click has led", () => {
  const did = [];
  const picker = {
    picking: { names: ["ant", "bee"], found: [1], active: 0, given: 0, text: "b" },
    keys: ["1", "2"],
    field: { focus: () => did.push("field") },
    tell: { closed: () => did.push("closed"), one: (label) => did.push(label) },
  };
  for (const key of ["k", "s", "a", "n", "2", " ", "Backspace"]) {
    const event = { key, stopPropagation() {} };
    assert.deepEqual(pressed(pressKey, event, false, { picker }), [], key);
    assert.deepEqual(did.splice(0), ["field"], key);
  }
  const enter = { key: "Enter", stopPropagation() {} };
  assert.deepEqual(pressed(pressKey, enter, false, { picker }), []);
  assert.deepEqual(did.splice(0), ["field", "closed", 1]);
  pressed(pressKey, { key: "Tab" }, false, { picker });
  assert.deepEqual(did, []); // it leads on to the picker's buttons
});

test("on a keyboard without Latin letters a key is the one at its place", () => {
  for (const [key, code, said] of [
    ["л", "KeyK", "k"],
    ["Я", "KeyZ", "z"],
    ["κ", "KeyK", "k"],
    ["لا", "KeyB", "b"],
    ["'", "KeyW", "w"], // Hebrew
    ["'", "KeyQ", "'"], // Dvorak
    [",", "KeyW", ","], // Dvorak
    ["t", "KeyF", "t"], // Colemak
    ["é", "Digit2", "é"],
    ["é", "KeyW", "é"], // Bépo
    ["ü", "KeyZ", "ü"], // Neo
    ["ğ", "KeyE", "ğ"], // Turkish F
    ["ै", "KeyW", "w"], // Hindi, a vowel sign
    ["ा", "KeyE", "e"],
    ["ั", "KeyY", "y"], // Thai
    ["ี", "KeyU", "u"],
    ["ำ", "KeyE", "e"],
    ["ö", "Semicolon", "ö"],
    ["K", "KeyK", "k"],
    ["Enter", "Enter", "Enter"],
    ["Dead", "KeyE", "Dead"],
  ]) {
    assert.equal(keyOf({ key, code }), said, `${key} ${code}`);
  }
  assert.deepEqual(pressed(pressKey, { key: "ц", code: "KeyW" }), ["wrong"]);
  assert.deepEqual(pressed(pressKey, { key: "я", code: "KeyZ", ctrlKey: true }), ["undo"]);
  assert.deepEqual(pressed(pressPage, { key: "п", code: "KeyG" }), ["single"]);
});

/** @param {Record<string, string>} keys what is printed where it is not as on QWERTY */
const told = (keys) => layoutOf({ get: (code) => keys[code] ?? code.slice(3).toLowerCase() });

test("on a page a press means what the screen says is on the key", () => {
  const colemak = told({
    KeyE: "f",
    KeyR: "p",
    KeyS: "r",
    KeyD: "s",
    KeyF: "t",
    KeyG: "d",
    KeyT: "g",
  });
  assert.deepEqual(colemak.tiles.slice(4, 8), ["A", "R", "S", "T"]);
  assert.deepEqual([colemak.acts.T, colemak.acts.G], ["G", "D"]); // as they lie on QWERTY
  assert.equal(meant(colemak, { key: "t", code: "KeyF" }), 7);
  assert.equal(meant(colemak, { key: "g", code: "KeyT" }), "t");
  assert.equal(meant(colemak, { key: "d", code: "KeyG" }), "g");
  const silent = layoutOf(); // a browser that tells nothing: T stands on the screen beside the copies
  assert.equal(meant(silent, { key: "t", code: "KeyF" }), "t");
  assert.equal(meant(silent, { key: "f", code: "KeyE" }), 2);
  const dvorak = told({ KeyU: "g", KeyG: "i", KeyK: "t", KeyT: "y" });
  assert.equal(dvorak.acts.G, "G"); // no letter of an act is on a tile
  assert.equal(meant(dvorak, { key: "g", code: "KeyU" }), "g");
  assert.equal(meant(dvorak, { key: "Enter", code: "Enter" }), "Enter");
});
