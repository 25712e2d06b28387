// Which presses are meant for the desk, with something else on the screen.

import assert from "node:assert/strict";
import test from "node:test";

import { isForUs } from "../../pages/_components/desk/keys.js";

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
