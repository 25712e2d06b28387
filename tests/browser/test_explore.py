"""The map under a real hand: a loop, the card, a click, and the way to the queue."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest

from lnl_core.jobs.tasks import embedding
from lnl_core.services.explore import embedding as exploring
from lnl_core.store import arrays

pytestmark = pytest.mark.browser

EVIL = ["![x](http://evil.example/a.png)", "<b>bold</b> :tada:", "=1+1 www.evil.example"]


def lay(info):
    """Three groups of images by class, in a row."""
    rng = np.random.default_rng(0)
    group = np.arange(info.n) % 3
    positions = np.stack([10 * group, np.zeros(info.n)], axis=1) + rng.normal(size=(info.n, 2))
    settings = exploring.Settings("raw")
    map_ = exploring.layout(
        info, embedding.write(info, settings, positions.astype(np.float32), info.n)
    )
    return map_.points / 65535


def circle(page, x, y, across, down):
    page.mouse.move(x + across, y)
    page.mouse.down()
    for step in range(1, 25):
        turn = 2 * math.pi * step / 24
        page.mouse.move(x + across * math.cos(turn), y + down * math.sin(turn))
    page.mouse.up()


@pytest.mark.usefixtures("alone")
def test_a_loop_goes_to_the_queue_and_a_click_shows_neighbours(common_server, page, make_set):
    from playwright.sync_api import expect

    info = make_set(common_server, "explored", EVIL, n=90)
    points = lay(info)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{common_server.url}/explore?dataset=explored")
    page.locator(".map[data-painted]").wait_for()
    box = page.locator(".field").bounding_box()
    middle = np.median(points[0::3], axis=0)
    x, y = box["x"] + box["width"] * middle[0], box["y"] + box["height"] * middle[1]
    circle(page, x, y, 0.2 * box["width"], 0.46 * box["height"])
    words = page.locator(".st-key-explore_selected")
    ranking, _ = arrays.load_ranking(info.directory / "ranking")
    suspected = int((np.asarray(ranking.p_wrong)[0::3] >= 0.5).sum())
    assert 0 < suspected < 30
    words.get_by_text(f"30 images, {suspected} of them suspected").wait_for()

    row = 44
    px, py = points[row]
    page.mouse.move(box["x"] + box["width"] * px, box["y"] + box["height"] * py)
    page.locator(".card").get_by_text("item-").wait_for()
    page.mouse.down()
    page.mouse.up()
    near = page.locator(".near")
    near.get_by_text("Labelled").first.wait_for()
    assert words.get_by_text("30 images").count() == 1
    before = near.locator(".top").text_content()
    near.locator("button").first.click()
    expect(near.locator(".top")).not_to_have_text(before)

    page.get_by_role("button", name=f"Review these {suspected}").click()
    page.wait_for_url("**/review?**")
    assert "selection=" in page.url
    page.locator(".stage").wait_for()
    assert [url for url in asked if "evil.example" in url] == []


def test_a_box_is_a_queue_with_an_address_that_others_can_open(
    common_server, page, browser, make_set
):
    info = make_set(common_server, "boxed", EVIL, n=90)
    points = lay(info)
    page.goto(f"{common_server.url}/explore?dataset=boxed")
    page.locator(".map[data-painted]").wait_for()
    page.get_by_role("button", name="Draw a box").click()
    box = page.locator(".field").bounding_box()
    low, high = points[0::3].min(axis=0) - 0.01, points[0::3].max(axis=0) + 0.01
    inside = int(((points >= low) & (points <= high)).all(axis=1).sum())
    assert 0 < inside < 90
    page.mouse.move(box["x"] + box["width"] * low[0], box["y"] + box["height"] * low[1])
    page.mouse.down()
    for part in (0.3, 0.7, 1.0):
        x, y = low + part * (high - low)
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
    page.mouse.up()
    page.locator(".st-key-explore_selected").get_by_text(f"{inside} images").wait_for()
    page.locator(".st-key-explore_left").get_by_role("button", name="Review these").click()
    page.wait_for_url("**/review?**selection=**")
    first = page.locator(".stage > img").get_attribute("src")
    other = browser.new_page()  # somebody else who was sent the address
    try:
        other.goto(page.url)
        other.locator(".stage > img").wait_for(timeout=60_000)
        assert other.locator(".stage > img").get_attribute("src") == first
    finally:
        other.close()


def test_filters_hide_and_both_pictures_are_saved(common_server, page, make_set, tmp_path):
    info = make_set(common_server, "filtered", EVIL, n=90)
    lay(info)
    page.goto(f"{common_server.url}/explore?dataset=filtered")
    page.locator(".map[data-painted]").wait_for()
    before = page.locator(".map").get_attribute("data-painted")
    shapes = []
    for _ in range(2):
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save as SVG").click()
        saved.value.save_as(tmp_path / "map.svg")
        drawing = (tmp_path / "map.svg").read_text("utf-8")
        root = ElementTree.fromstring(drawing)
        shapes.append(len(root.findall("{http://www.w3.org/2000/svg}circle")))
        if len(shapes) == 1:
            page.get_by_role("button", name="Filters").click()
            page.get_by_role("button", name="above 0.5").click()
            page.locator(f'.map[data-painted]:not([data-painted="{before}"])').wait_for()
            page.keyboard.press("Escape")
    p_wrong = np.asarray(arrays.load_ranking(info.directory / "ranking")[0].p_wrong)
    legend, suspected = 3, int((p_wrong >= 0.5).sum())
    assert 0 < suspected < 90
    assert shapes == [90 + legend, suspected + legend]
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as PNG").click()
    saved.value.save_as(tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


VIVID = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let i = 0; i < data.length; i += 4) {
    const three = [data[i], data[i + 1], data[i + 2]];
    if (Math.max(...three) - Math.min(...three) > 80) found++;
  }
  return found;
}"""


def test_colours_that_come_after_a_resize_are_drawn(common_server, page, make_set):
    """A longer legend makes the map lower while its new colours are still on their way."""
    info = make_set(common_server, "late colours", EVIL, n=90)
    lay(info)
    held = []
    page.route("**/colours/verdict/**", lambda route: held.append(route))
    page.goto(f"{common_server.url}/explore?dataset=late+colours")
    page.locator(".map[data-painted]").wait_for()
    dots = page.locator("canvas.dots")
    assert dots.evaluate(VIVID) > 100  # the suspected are orange
    tall = dots.evaluate("canvas => canvas.height")
    page.locator(".st-key-explore_colour").get_by_text("Verdict", exact=True).click()
    page.locator(".maphead").get_by_text("no answer").wait_for()
    page.set_viewport_size({"width": 1280, "height": 700})
    with page.expect_response("**/colours/verdict/**"):
        while dots.evaluate("canvas => canvas.height") == tall or not held:
            page.wait_for_timeout(20)
        held.pop().continue_()
    page.locator('.map[data-painted*="/verdict/"]').wait_for()
    assert dots.evaluate(VIVID) == 0  # nobody has answered: all are grey
