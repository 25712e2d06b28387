import assert from "node:assert/strict";
import { test } from "node:test";

import { drawStrip } from "../../pages/_components/desk/strip.js";
import { MemoryStore } from "./storage.js";

/** A node of a page, as far as the strip needs one. */
class Piece {
  children = [];
  style = {};
  classList = { toggle() {} };
  own = null;

  append(...more) {
    this.children.push(...more);
  }

  replaceChildren(...all) {
    this.children = all;
  }

  setAttribute() {}

  querySelectorAll() {
    return [];
  }

  getRootNode() {
    return { activeElement: null };
  }

  focus() {}

  get textContent() {
    return this.own ?? this.children.map((each) => each.textContent ?? each).join("");
  }

  set textContent(words) {
    this.own = words;
  }

  /** @returns {Piece[]} this and all below it */
  all() {
    return [this, ...this.children.flatMap((each) => (each instanceof Piece ? each.all() : []))];
  }
}

const goal = (n, number) => ({
  number,
  kind: "left",
  words: `until at most ${n} wrong labels are left`,
  holds: true,
  reached: `at most ${n} wrong labels are left`,
});

const progress = (n, number) => ({
  reviewed: 500,
  since: 0,
  wrong_since: 0,
  expected: 500,
  wrong: 40,
  course: null,
  guess: null,
  errors_left: { audits: 200, since: 200, enough: 59, estimate: 3, limit: n, goal: n, total: 8000 },
  goal: goal(n, number),
});

test("who goes on from one goal is told of the next, and of the same one no more, unless it is set again", () => {
  const create = () => new Piece();
  globalThis.document = /** @type {any} */ ({ createElement: create, createElementNS: create });
  const parts = { root: new Piece("div"), strip: new Piece("div"), live: new Piece("div") };
  const memory = new MemoryStore();
  for (const storage of [memory, null]) {
    Object.defineProperty(globalThis, "sessionStorage", {
      configurable: true,
      get() {
        if (!storage) throw new Error("SecurityError");
        return storage;
      },
    });
    const stopping = { told: "", goesOn: "" };
    const outbox = { journal: { waiting: new Map() } };
    /**
     * @param {number} n
     * @param {number} [number] of the goal
     */
    const drawn = (n, number = 1) => {
      const now = progress(n, number);
      Object.assign(now.errors_left, { may_stop: true });
      const data = { journal: "lnl:1:t:ann", progress: now, recent: [] };
      drawStrip(/** @type {any} */ ({ parts, data, outbox, stopping, exportButton: "", go() {} }));
      return parts.strip.textContent.includes("You may stop");
    };
    assert.equal(drawn(80), true);
    const button = parts.strip.all().find((each) => each.textContent === "Go on");
    button?.onclick();
    assert.deepEqual([drawn(80), drawn(20), drawn(80, 2)], [false, true, true]);
  }
});
