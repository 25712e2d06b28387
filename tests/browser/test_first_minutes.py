"""A new user's first minutes: two clicks and a path lead to the queue, and nothing moves it."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lnl_core.jobs import queue
from lnl_core.services.in_force import scored
from lnl_core.store import arrays, datasets, db
from tests.browser.conftest import Server
from tests.browser.desk import CLASSES, Desk

pytestmark = pytest.mark.browser

COUNT = """
() => {
  window.lnlClicks = 0;
  addEventListener("click", (event) => { if (event.isTrusted) window.lnlClicks += 1; }, true);
}
"""


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A server without a set, of tests that leave none; the last one imports."""
    running = Server(tmp_path_factory.mktemp("empty") / "home").start()
    yield running
    running.kill()


@pytest.fixture
def shapes(tmp_path):
    """Sixty pictures of 8 x 8 pixels in two classes, four of them in the wrong folder."""
    rng = np.random.default_rng(0)
    for i in range(60):
        pixels = rng.integers(0, 60, (8, 8), dtype=np.uint8)
        bright = slice(0, 4) if i % 2 else slice(4, 8)
        pixels[bright] += 190
        name = "top" if bool(i % 2) != (i < 4) else "bottom"
        path = tmp_path / "shapes" / name / f"{i:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return tmp_path / "shapes"


def test_the_press_that_imports_is_in_sight_however_much_was_read(empty, page, tmp_path):
    for name in "abcdefghijkl":
        (tmp_path / "many" / name).mkdir(parents=True)
        for i in range(2):
            Image.new("RGB", (8, 8), (i * 90, ord(name), 0)).save(
                tmp_path / "many" / name / f"{i}.png"
            )
    page.set_viewport_size({"width": 1280, "height": 620})
    page.goto(empty.url)
    page.get_by_role("button", name="Folder per class").click()
    page.wait_for_function("document.activeElement.matches('.st-key-path_folder input')")
    page.keyboard.insert_text(str(tmp_path / "many"))
    page.get_by_text("Recognised: folder per class").wait_for()
    button = page.get_by_role("button", name="Import and score")
    button.wait_for()
    box = button.bounding_box()  # nothing was scrolled
    assert 0 < box["y"] < 620 - box["height"]


def test_a_half_typed_path_is_no_error_and_folders_can_be_walked(empty, page, shapes):
    page.goto(empty.url)
    page.get_by_role("button", name="Folder per class").click()
    page.wait_for_function("document.activeElement.matches('.st-key-path_folder input')")
    page.keyboard.insert_text(str(shapes)[:-2])
    page.get_by_role("dialog").get_by_text("cannot be read").wait_for()
    page.get_by_role("button", name="Browse").click()
    page.get_by_role("button", name="shapes", exact=True).click()
    page.get_by_text("Recognised: folder per class").wait_for()
    assert page.get_by_label("Folder on this computer").input_value() == str(shapes)


def test_two_clicks_and_a_path_lead_to_the_queue(empty, page, shapes):
    page.goto(empty.url)
    page.get_by_role("button", name="Folder per class").wait_for()
    page.evaluate(COUNT)
    page.get_by_role("button", name="Folder per class").click()
    page.wait_for_function("document.activeElement.matches('.st-key-path_folder input')")
    page.keyboard.insert_text(str(shapes))  # pasted; no Enter
    page.get_by_text("Recognised: folder per class").wait_for()
    assert page.locator(".st-key-reading_classes img").count() >= 4
    page.get_by_role("button", name="Import and score").click()
    page.wait_for_selector(".stage > img")
    assert page.evaluate("() => window.lnlClicks") == 2
    info = datasets.dataset(db.open_workspace(empty.home), "shapes")
    desk = Desk(empty, page, info)
    for _ in range(10):
        answered(desk)
    assert len(desk.saved().history()) == 10
    assert [job.method for job in queue.jobs(info)][::-1] == ["sr", "jump", "ce"]


def test_a_later_result_is_announced_and_the_image_stays(common_server, page, make_set):
    info = make_set(common_server, "later", CLASSES)
    number = queue.submit(info, "ce").id
    queue.claim(info.workspace, number)  # something runs, so the page looks for its result
    desk = Desk(common_server, page, info).open()
    row = desk.shown
    found = scored(info)
    ranking = replace(found.ranking, order=found.ranking.order[::-1].copy())
    arrays.save_ranking(info.directory / "ranking", ranking, {**found.run_ids, "ce": number})
    page.get_by_text("done: new order for what you have not seen").wait_for()
    assert desk.shown == row
    later = [int(each) for each in ranking.order[:8]]
    seen = []
    for _ in range(6):  # some are drawn at random
        seen.append(answered(desk))
    assert desk.saved().history()[0].row == row
    assert len({*seen} & {*later}) >= 3


def answered(desk):
    """Answer the image at hand once it has been seen; return the next one."""
    row = desk.shown
    while desk.shown == row:
        desk.press("k")
        desk.page.wait_for_timeout(200)
    return desk.shown
