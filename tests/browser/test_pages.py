"""Data, Runs and Export in a real browser: dialogs, names that attack, files in and out."""

import csv
import io
import shutil

import numpy as np
import pytest

from lnl_core.figures.palette import TONES
from lnl_core.jobs import queue
from lnl_core.services.datasets import catalog
from lnl_core.store import datasets, db, decisions
from lnl_core.types import Action, Decision
from tests.browser.conftest import Server
from tests.browser.desk import STILL
from tests.data.making import picture

pytestmark = pytest.mark.browser

EVIL_NAME = "**evil** <img src=x onerror=alert(1)> :material/delete:"
EVIL_CLASSES = ["![x](http://evil.example/a.png)", "<b>bold</b> :tada:", "=1+1 www.evil.example"]


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A server without a set, of tests that leave none."""
    running = Server(tmp_path_factory.mktemp("empty") / "home").start()
    yield running
    running.kill()


def quiet(page):
    """Wait until the script has run and what it drew has come."""
    page.wait_for_selector("[data-testid=stMainBlockContainer]")
    page.evaluate(STILL)


def test_a_deep_link_as_first_request_has_the_frame(empty, page):
    page.goto(f"{empty.url}/export")
    quiet(page)
    assert page.get_by_role("link", name="Data").count() == 1
    assert page.get_by_text("No data set yet.").count() >= 1
    assert page.title() == "Export · LNL Review"


def test_enter_in_a_dialog_does_not_reach_the_demo_button_behind(empty, page):
    page.goto(empty.url)
    quiet(page)
    page.get_by_role("button", name="NPZ arrays").click()
    quiet(page)
    page.keyboard.press("Enter")
    quiet(page)
    assert page.get_by_role("dialog").count() == 1
    assert datasets.datasets(db.open_workspace(empty.home)) == []


def test_a_dialog_stays_when_window_and_colours_change_and_the_page_follows_later(empty, page):
    page.goto(empty.url)
    quiet(page)
    page.get_by_role("button", name="NPZ arrays").click()
    page.get_by_label("File on this computer").fill("/half/a/path")
    narrow = page.evaluate_handle("matchMedia('(max-width: 700px)')")
    for width, scheme in ((600, "dark"), (1700, "light"), (650, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("([narrow, is]) => narrow.matches === is", arg=[narrow, width < 701])
        quiet(page)
        assert page.get_by_label("File on this computer").input_value() == "/half/a/path"
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.wait_for_function(
        "(tone) => tone === "
        "getComputedStyle(document.querySelector('.st-key-demo_card')).borderColor",
        arg="rgb({}, {}, {})".format(*bytes.fromhex(TONES["dark"]["accent"][1:])),
    )


def test_an_import_is_looked_at_first_and_then_reported(server, page, tmp_path):
    file = tmp_path / "thirty.npz"
    images = np.random.default_rng(0).integers(0, 255, (30, 8, 8), dtype=np.uint8)
    np.savez(file, images=images, labels=np.arange(30) % 3)
    page.goto(server.url)
    quiet(page)
    page.get_by_role("button", name="NPZ arrays").click()
    path = page.get_by_label("File on this computer")
    path.fill(str(tmp_path / "gone.npz"))
    page.get_by_text("cannot be read (No such file or directory)").wait_for()
    path.fill(str(file))
    page.get_by_text("Recognised: NPZ arrays, 30 images, 3 classes").wait_for()
    quiet(page)
    page.get_by_role("dialog").get_by_role("button", name="Import only").click()
    page.get_by_text("30 images in, 0 skipped.").wait_for(timeout=60_000)
    quiet(page)
    assert "dataset=thirty" in page.url
    info = datasets.dataset(db.open_workspace(server.home), "thirty")
    assert info.n == 30
    assert queue.jobs(info) == []  # nothing is started


@pytest.mark.usefixtures("alone")
def test_hostile_names_fetch_nothing_and_make_no_element(server, page, make_set):
    make_set(server, EVIL_NAME, EVIL_CLASSES)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for place in ("", "runs", "export"):
        page.goto(f"{server.url}/{place}")
        quiet(page)
        main = page.locator("[data-testid=stMainBlockContainer]")
        assert main.locator("img[src='x'], a[href*='evil'], script").count() == 0
    foreign = [url for url in asked if not url.startswith((server.url, "data:", "blob:"))]
    assert [url for url in foreign if not url.startswith("ws")] == []
    page.goto(server.url)
    quiet(page)
    shown = page.locator(".st-key-set_head h2").inner_text().replace("\u2060", "")
    assert shown.startswith("**evil** <img src=x onerror=alert(1)> :")


def test_the_reviewer_survives_a_reload(server, page, make_set):
    make_set(server, "set", ["a", "b", "c"])
    page.goto(server.url)
    quiet(page)
    page.get_by_role("button", name="This is not me").click()
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.keyboard.press("Enter")
    quiet(page)
    page.reload()
    quiet(page)
    page.get_by_text("Ada Lovelace").wait_for()
    assert decisions.reviewers(db.open_workspace(server.home)) == ["Ada Lovelace"]


def test_decisions_go_out_and_come_back(common_server, page, make_set, tmp_path):
    info = make_set(common_server, "out and back", ["=a", "b", "c"])
    decisions.append(info, [Decision(5, Action.RELABEL, "Ada", label=0)])
    page.goto(f"{common_server.url}/export?dataset={info.name}")
    quiet(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["id"], row["action"], row["corrected_label"]) == ("item-5", "relabel", "'=a")

    file = tmp_path / "mine.csv"
    file.write_text("id,action,label\nitem-8,relabel,b\nnobody,keep,\n")
    page.get_by_role("button", name="Import decisions").click()
    page.set_input_files("input[type=file]", str(file))
    quiet(page)
    page.get_by_text("1 decision would be stored.").wait_for()
    assert 8 not in decisions.in_force(info)
    page.get_by_role("dialog").get_by_role("button", name="Import", exact=True).click()
    page.get_by_text("1 decision stored.").wait_for()
    page.get_by_text("1 row could not be used").wait_for()
    assert decisions.in_force(info)[8][0].label == 1


def test_a_changed_knob_is_marked_and_kept(common_server, page, make_set):
    info = make_set(common_server, "knobs", ["a", "b", "c"])
    page.goto(f"{common_server.url}/runs?dataset={info.name}")
    quiet(page)
    page.get_by_text("More methods").click()
    quiet(page)
    table = page.locator(
        "[data-testid=stDataFrame]"
    ).first.bounding_box()  # knobs: its fifth column
    page.mouse.click(table["x"] + 284, table["y"] + 49)
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("button", name="Use these").wait_for()
    field = drawer.get_by_role("spinbutton").first
    field.fill("3")
    field.press("Tab")
    quiet(page)
    drawer.get_by_role("button", name="Use these").click()
    quiet(page)
    assert drawer.count() == 0
    page.mouse.click(table["x"] + 284, table["y"] + 49)
    drawer.get_by_role("button", name="Use these").wait_for()
    assert drawer.get_by_role("spinbutton").first.input_value() == "3"


def test_originals_that_moved_are_compared_before_the_set_points_there(
    common_server, page, tmp_path
):
    ws = db.open_workspace(common_server.home)
    root, place = tmp_path / "photos", tmp_path / "moved"
    for at, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        for seed in range(2):
            picture(seed=10 * at + seed).save(root / name / f"{seed}.png")
    catalog.import_dataset(ws, root, "moved birds")
    shutil.move(root, place)
    (place / "cat" / "1.png").unlink()
    page.goto(f"{common_server.url}/?dataset=moved%20birds")
    quiet(page)
    page.get_by_role("tab", name="Settings").click()
    quiet(page)
    page.get_by_role("button", name="Point to another folder…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Folder on this computer").fill(str(place))
    dialog.get_by_role("button", name="Compare and point there").click()
    dialog.get_by_text("1 missing, 0 changed of 4 originals").wait_for()
    assert datasets.dataset(ws, "moved birds").root == str(root)
    dialog.get_by_text("Point there even where some are missing").click()
    dialog.get_by_role("button", name="Compare and point there").click()
    page.get_by_text("The originals are read from there now.").wait_for()
    assert datasets.dataset(ws, "moved birds").root == str(place)


def test_images_are_added_to_a_set_that_is_there(common_server, page, tmp_path):
    ws = db.open_workspace(common_server.home)
    root = tmp_path / "photos"
    for at, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        for seed in range(2):
            picture(seed=10 * at + seed).save(root / name / f"{seed}.png")
    catalog.import_dataset(ws, root, "more birds")
    decisions.append(datasets.dataset(ws, "more birds"), [Decision(3, Action.NONE, "Ada")])
    (root / "emu").mkdir()
    picture(seed=77).save(root / "emu" / "new.png")
    page.goto(f"{common_server.url}/?dataset=more%20birds")
    quiet(page)
    page.get_by_role("tab", name="Settings").click()
    quiet(page)
    page.get_by_role("button", name="Add images…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add", exact=True).click()
    dialog.get_by_text("Nothing was added").wait_for()
    assert datasets.dataset(ws, "more birds").n == 4
    dialog.locator("label", has_text="Labels that this set does not have").click()
    quiet(page)
    dialog.get_by_role("button", name="Add", exact=True).click()
    dialog.get_by_text("1 image added, 5 now; 4 were there already.").wait_for()
    info = datasets.dataset(ws, "more birds")
    assert (info.n, info.class_names) == (5, ("cat", "dog", "emu"))
    assert set(decisions.in_force(info)) == {3}
