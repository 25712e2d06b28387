"""The review page in a browser, as tests use it."""

from pathlib import Path

from lnl_core.store import db, decisions

CLASSES = ["ant", "bee", "cow", "doe"]
SAVED = "All answers saved"

MEASURE = Path(__file__).with_name("measure.js").read_text("utf-8")
"""Tells in lines of text what of a page cannot be read."""

LOOKED = """async (place) => {
  const row = () => place.querySelector(':scope > img, .tile img')?.src.split('/').at(-2);
  const began = performance.now();
  while (place.isConnected && row() && place.dataset.counts !== row()) {
    if (performance.now() - began > 120000) throw new Error(`no answer to ${row()} counts`);
    await new Promise(requestAnimationFrame);
  }
}"""

NOTHING_WAITS = """() => !Object.values(localStorage).some((kept) => kept.includes('"cid"'))"""


STILL = """async () => {
  await document.fonts.ready;
  const state = () => [
    document.querySelector("[data-test-script-state]")?.dataset.testScriptState,
    document.querySelectorAll('[data-testid="stSkeleton"]').length,
    document.querySelector('[data-testid="stMain"]')?.scrollHeight,
    document.querySelectorAll("*").length,
  ].join();
  let [last, since, frames] = ["", 0, 0];
  while (!last.startsWith("notRunning,0,") || frames < 12 || performance.now() - since < 250) {
    await new Promise(requestAnimationFrame);
    const now = state();
    if (now === last) frames += 1;
    else [last, since, frames] = [now, performance.now(), 0];
  }
}"""
"""Resolves once the script has run, no skeleton is left, and nothing has moved for a quarter of a
second and twelve pictures: a busy machine draws few of them."""


class Desk:
    """One browser window on one set, and what the store holds of it."""

    def __init__(self, server, page, info):
        self.server, self.page, self.info = server, page, info
        self.ws = db.open_workspace(server.home)

    def open(self, query="", picture=".stage > img"):
        self.page.goto(f"{self.server.url}/review?dataset={self.info.name}{query}")
        self.page.wait_for_selector(picture)
        return self

    def press(self, *keys):
        """Press keys one after the other, each once an answer to what is shown would count."""
        for key in keys:
            self.looked()
            self.page.keyboard.press(key)
        return self

    def looked(self):
        """Wait until what is shown has been on screen for as long as an answer asks."""
        for place in self.page.locator(".stage, .page12").all():
            place.evaluate(LOOKED)
        return self

    def saved(self):
        """Wait until the server has everything that was pressed, and the page says so."""
        self.page.wait_for_function(NOTHING_WAITS)  # a press is written there at once
        self.page.locator(".saved", has_text=SAVED).wait_for()
        return self

    def evidence(self):
        self.page.wait_for_selector(".choice.first .name")
        return self

    @property
    def shown(self):
        """The row on the stage."""
        return int(self.page.locator(".stage > img").get_attribute("src").split("/")[-2])

    @property
    def shown_first(self):
        """The row on the stage, also while its original lies over it."""
        return int(self.page.locator(".stage > img").first.get_attribute("src").split("/")[-2])

    def history(self):
        return list(decisions.history(self.info))

    def actions(self):
        return [(d.row, str(d.action), d.label) for d in self.history()]
