"""Looking closer at an image, and where it came from."""

import pytest

from tests.browser.desk import CLASSES, Desk

pytestmark = pytest.mark.browser

SCALE = "image => new DOMMatrix(getComputedStyle(image).transform)"


def test_wheel_drag_and_keys_look_closer_and_escape_goes_back(desk):
    page = desk.page
    desk.looked()
    first = desk.shown
    image = page.locator(".stage > img").first
    assert page.locator("img.original").count() == 0  # nobody has looked closer
    page.locator(".stage").hover()
    page.mouse.wheel(0, -400)
    page.wait_for_selector(".stage.zoomed img.original")
    assert page.locator("img.original").get_attribute("src").endswith("/original")
    near = image.evaluate(SCALE)
    assert near["a"] > 2
    page.mouse.down()
    page.mouse.move(5, 5)
    page.mouse.up()
    moved = image.evaluate(SCALE)
    assert (moved["e"], moved["f"]) != (near["e"], near["f"])
    page.keyboard.press("ArrowRight")  # moves the picture, not the queue
    assert desk.shown_first == first
    page.keyboard.press("Escape")
    page.wait_for_selector(".stage:not(.zoomed)")
    assert page.locator("img.original").count() == 0
    page.keyboard.press("f")
    page.wait_for_selector(".stage.zoomed img.original")
    desk.press("k")  # the next image begins whole
    page.wait_for_selector(".stage:not(.zoomed)")
    assert desk.shown != first


def test_the_badge_says_the_scale_that_is_drawn(desk):
    page, tag = desk.page, desk.page.locator(".stage .tag")
    desk.looked()
    whole = tag.inner_text()
    page.keyboard.press("f")
    page.wait_for_selector(".stage.zoomed img.original")
    box = page.locator("img.original").bounding_box()
    own = page.locator("img.original").evaluate("image => image.naturalWidth")
    page.wait_for_function(
        "([tag, words]) => tag.textContent.endsWith(words)",
        arg=[tag.element_handle(), f", shown {round(box['width'] / own)}×"],
    )
    page.keyboard.press("Escape")
    page.wait_for_selector(".stage:not(.zoomed)")
    assert tag.inner_text() == whole


def test_path_is_copied_by_one_press(desk):
    page = desk.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    meta = page.locator(".q button.meta")
    told = meta.get_attribute("title")
    meta.click()
    page.locator(".toast", has_text="Path copied.").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied
    assert told == f"{copied}. Press to copy."


def test_enter_held_down_marks_one_class(desk):
    page = desk.page
    other = CLASSES[(desk.shown + 1) % len(CLASSES)]  # than the given one
    desk.press("m")
    page.wait_for_selector(".picker .option")
    page.keyboard.type(other)
    page.keyboard.down("Enter")
    page.keyboard.down("Enter")  # the key repeats
    page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    assert page.locator(".picker .option.chosen").count() >= 1
    assert desk.history() == []


def test_enter_held_down_marks_a_tile_once(desk):
    desk.press("g")
    tile = desk.page.locator(".tile").nth(3)
    tile.locator("img").wait_for()
    tile.focus()
    for _ in range(4):  # the second and later ones are repeats
        desk.page.keyboard.down("Enter")
    desk.page.keyboard.up("Enter")
    assert desk.page.locator(".tile.x").count() == 1
    assert desk.saved().history() == []


@pytest.mark.parametrize("size", [(390, 844), (853, 533), (1440, 900)])
def test_the_name_of_the_file_is_whole_where_its_folders_are_cut(
    common_server, page, make_set, size
):
    name, folders = "a-rather-long-name-0123.png", "photographs/of/all/the/stores/" * 6
    paths = [f"{folders}{i}/{name}" for i in range(60)]
    info = make_set(common_server, f"cut at {size[0]}", CLASSES, paths=paths)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    desk = Desk(common_server, page, info).open()
    file = page.locator(".q .meta :is(.file, .ending)")
    assert "".join(file.all_inner_texts()) == name
    assert file.first.evaluate("each => each.scrollWidth <= each.clientWidth")
    image = page.locator(".stage > img").get_attribute("alt")
    assert image.endswith(f"{name}, given label {CLASSES[desk.shown % 4]}")
    folder = page.locator(".q .meta .folder")
    assert folder.evaluate("each => each.scrollWidth > each.clientWidth")
    whole = page.locator(".q button.meta").get_attribute("title")
    assert whole.startswith(paths[desk.shown])


def test_beside_a_long_class_the_end_of_the_file_s_name_is_kept(common_server, page, make_set):
    """It ended in two ellipses, without the number that tells the files apart."""
    names = [f"harvestman, daddy longlegs, opilionid {i}" for i in range(4)]
    paths = [f"a-rather-long-file-name-of-a-camera-{i:05d}.jpg" for i in range(60)]
    info = make_set(common_server, "long beside long", names, paths=paths)
    desk = Desk(common_server, page, info).open()
    ending = page.locator(".q .meta .ending")
    assert ending.inner_text() == paths[desk.shown][-12:]
    meta, box = page.locator(".q .meta").bounding_box(), ending.bounding_box()
    assert box["x"] + box["width"] <= meta["x"] + meta["width"] + 1
    assert box["x"] >= meta["x"]


@pytest.mark.parametrize("size", [(853, 533), (1024, 768), (1280, 800), (1440, 900)])
def test_that_all_is_saved_is_in_sight_without_scrolling(desk, size):
    page = desk.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    desk.open().press("k").saved()
    box = page.locator(".saved").bounding_box()
    assert box["height"] > 0
    assert box["y"] + box["height"] <= size[1]
