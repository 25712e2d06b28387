"""Every page at every size that people use: nothing overlaps, nothing is cut, nothing collapses."""

import numpy as np
import pytest

from lnl_core.methods import METHODS
from lnl_core.store import arrays, datasets, db
from lnl_core.types import LnlError
from pages import _ui
from pages._compare import pairs
from pages._runs import methods
from tests import five
from tests.browser.desk import MEASURE, STILL
from tests.browser.test_explore import lay

pytestmark = pytest.mark.browser

SIZES = {
    (390, 844): [(768, 1024)],
    (1280, 800): [(853, 533), (1024, 768), (1920, 1080), (2560, 1440)],
}
"""Telephone and screen: a page opens at each, and is pulled to the others, a tablet's, a laptop's
at 150 % and those up to the wall's."""

NAMES = ["Scottish deerhound with a coat", "ox", "Blouse", "harvestman, daddy longlegs, opilionid"]

PAGES = {
    "data": ("", ".st-key-cards"),
    "runs": ("runs", ".st-key-recipe_card"),
    "review": ("review", ".stage > img"),
    "evidence": ("review", ".stage > img"),
    "page": ("review", ".stage > img"),
    "explore": ("explore", ".map[data-painted]"),
    "quality": ("compare?view=quality", ".st-key-effort .main-svg"),
    "five": ("compare?view=five", ".st-key-five_row"),
    "five on the wall": ("compare?view=five&present=1", ".st-key-five_row"),
    "quality on the wall": ("compare?view=quality&present=1", ".st-key-effort .main-svg"),
    "differences": ("compare?view=differences", ".st-key-classes_card .main-svg"),
    "losses": ("compare?view=losses", ".st-key-losses_held"),
    "agreement": ("compare?view=agreement", ".st-key-agreement .main-svg"),
    "cost": ("compare?view=cost", "[data-testid=stMain] .st-key-compare_body"),
    "retraining": ("compare?view=retraining", ".st-key-compare_body"),
    "export": ("export", "[data-testid=stRadio]"),
    "team": ("team", "[data-testid=stMain] h1"),
}
"""What is looked at: address, and what is there once the page is."""

SCALE = "(each) => each.viewBox ? each.clientWidth / each.viewBox.baseVal.width : 1"
"""How much larger than other text a chart's is."""


@pytest.fixture(scope="session")
def layout_set(common_server, make_set):
    """A set of long and short class names, with its truth, scored and laid out."""
    ws = db.open_workspace(common_server.home)
    try:
        return datasets.dataset(ws, "layout")
    except LnlError:
        paths = [f"photographs/of/animals/{i:05d}-{'very-' * 6}long.png" for i in range(120)]
        true = (np.arange(120) % 4 + (np.arange(120) % 3 == 0)) % 4
        info = make_set(common_server, "layout", NAMES, n=120, paths=paths, true_labels=true)
        runs = info.directory / "runs"
        five.score(info, {"knn": (2, arrays.load_signals(runs / "2"))})
        lay(info)
        return info


def open_page(page, server, name, info):
    """Open one of `PAGES` and bring it into the state that its name says."""
    address, ready = PAGES[name]
    joint = "&" if "?" in address else "?"
    page.goto(f"{server.url}/{address}{joint}dataset={info.name}")
    page.wait_for_selector(ready)
    if name == "evidence":
        page.evaluate(STILL)  # a key counts once its picture has been seen
        page.keyboard.press("w")
        page.wait_for_selector(".choice.first .name")
    if name.startswith("five"):
        page.evaluate(STILL)
        page.get_by_role("button", name="Show all the same").click()
        page.wait_for_selector(".fv .column")
    if name == "losses":
        page.get_by_role("button", name="Show all the same").click()
        page.wait_for_selector(".st-key-course .main-svg")
    if name == "page":
        page.get_by_test_id("stMain").get_by_text("Page", exact=True).click()
        page.wait_for_selector(".tile img")
    page.evaluate(STILL)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_and_nothing_overlaps(common_server, page, layout_set, name):
    wrong = []
    for first, others in SIZES.items():
        for width, height in (first, *others):
            page.set_viewport_size({"width": width, "height": height})
            if (width, height) == first:
                open_page(page, common_server, name, layout_set)
            else:
                page.evaluate(STILL)
            wrong += [f"{width} x {height}: {said}" for said in page.evaluate(MEASURE)]
            if name == "evidence":
                if (width, height) == (390, 844):
                    asked_in_sight(page)
                shown = page.locator(".panel svg[role=img], .panel .opinion")
                drawn = [each.evaluate(SCALE) for each in shown.all() if each.is_visible()]
                assert drawn or height < 800, f"{width} x {height}: no curve and no method"
                assert all(0.95 < scale < 1.05 for scale in drawn), f"{width} x {height}: {drawn}"
    assert not wrong, "\n".join(wrong)


def asked_in_sight(page):
    """On a telephone the choices, and the field of all classes, stood under the window's edge."""
    first = page.locator(".choice.first").bounding_box()
    assert first["y"] + first["height"] < 844, first
    page.keyboard.press("/")
    assert page.locator(".search").bounding_box()["y"] < 640
    page.keyboard.press("Escape")


ROWS = """() => {
  const row = document.querySelector(".st-key-title_row");
  const lines = new Map();
  for (const each of row.children) {
    const box = each.getBoundingClientRect();
    const middle = Math.round((box.top + box.height / 2 - 4) / 20); // the first line's is 30
    lines.set(middle, [...(lines.get(middle) ?? []), each.innerText.split("\\n")[0]]);
  }
  return [...lines.values()];
}"""


ALONE = """() => {
  const row = [...document.querySelector(".st-key-title_row").children];
  const middle = (each) => {
    const { top, height } = each.getBoundingClientRect();
    return top + height / 2;
  };
  const apart = (it, each) => it === each || Math.abs(middle(it) - middle(each)) > 20;
  const isAlone = (each) => row.every((it) => apart(it, each));
  return row.filter((each) => isAlone(each) && !each.querySelector("input, [role=radiogroup], h1"))
    .map((each) => each.innerText);
}"""
"""Buttons of the title's that have a line to themselves; a select or a row of choices may."""


@pytest.mark.parametrize("width", [768, 1000, 1024])
def test_a_filter_in_force_puts_no_control_onto_a_row_of_its_own(
    common_server, page, layout_set, width
):
    page.set_viewport_size({"width": width, "height": 768})
    page.goto(f"{common_server.url}/review?dataset={layout_set.name}&given=0")
    page.wait_for_selector(".stage > img")
    page.evaluate(STILL)
    page.get_by_role("button", name="Filters (1)").wait_for()
    assert len(page.evaluate(ROWS)) == 1


def test_a_telephone_shows_what_each_method_is_good_for(common_server, page, layout_set):
    """It stood in the last column, to the right of the screen, and nothing said so."""
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, common_server, "runs", layout_set)
    page.get_by_text("More methods").click()
    tables = page.locator(".st-key-method_tables [data-testid=stDataFrame]")
    tables.nth(1).locator("canvas").first.wait_for()
    page.evaluate(STILL)
    for table in tables.all():
        room = table.locator(".dvn-scroller").evaluate("(e) => [e.scrollWidth, e.clientWidth]")
        assert room[0] <= room[1] + 1
    words = tables.last.locator("[role=gridcell]", has_text="Probe: a first queue within seconds")
    words.wait_for(state="attached")


WIDTHS = """(lines) => {
  const pen = document.createElement('canvas').getContext('2d');
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  pen.font = `${0.875 * rem}px ${getComputedStyle(document.body).fontFamily}`;
  return lines.map((line) => pen.measureText(line).width);
}"""


def test_what_methods_are_good_for_is_whole_beside_what_they_cost(common_server, page, layout_set):
    """A column that was wider than the table had room for was cut at its edge, without dots."""
    page.set_viewport_size({"width": 1280, "height": 800})
    open_page(page, common_server, "runs", layout_set)
    page.get_by_text("More methods").click()
    tables = page.locator(".st-key-method_tables [data-testid=stDataFrame]")
    tables.nth(1).locator("canvas").first.wait_for()
    page.evaluate(STILL)
    for table in tables.all():
        room = table.locator(".dvn-scroller").evaluate("(e) => [e.scrollWidth, e.clientWidth]")
        assert room[0] <= room[1] + 1
    lines = [methods._line(each) for each in METHODS.values()]
    widths = dict(zip(lines, page.evaluate(WIDTHS, lines), strict=True))
    assert [line for line, width in widths.items() if width > methods.GOOD_FOR - 10] == [], widths


def test_differences_use_the_height_there_is(common_server, page, layout_set):
    """Rows stood close together above an empty half of the window."""
    page.set_viewport_size({"width": 1280, "height": 560})
    open_page(page, common_server, "differences", layout_set)
    figures = [page.locator(f".st-key-{each}") for each in ("pairs", "classes")]
    low = [each.bounding_box()["height"] for each in figures]
    page.set_viewport_size({"width": 1280, "height": 1400})
    page.evaluate(STILL)
    tall = [each.bounding_box()["height"] for each in figures]
    assert all(b > a + 5 * pairs.TALLER for a, b in zip(low, tall, strict=True)), (low, tall)
    assert (
        page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight") <= 1400
    )
    drawn = [each.locator(".main-svg").first.bounding_box()["height"] for each in figures]
    assert drawn == pytest.approx(tall, abs=2)


@pytest.mark.parametrize("width", [768, 1024])
def test_no_control_of_a_title_row_stands_alone(common_server, page, layout_set, width):
    page.set_viewport_size({"width": width, "height": 768})
    for name, lines in (("review", 1), ("explore", 2), ("quality", 2)):
        open_page(page, common_server, name, layout_set)
        found = page.evaluate(ROWS)
        assert len(found) == lines, found
        assert len(found[-1]) > 1, found


def test_a_telephone_has_no_button_alone_below_the_title(common_server, page, layout_set):
    page.set_viewport_size({"width": 390, "height": 844})
    for name in ("quality", "explore"):
        open_page(page, common_server, name, layout_set)
        found = page.evaluate(ROWS)
        assert len(found) == 3, found
        assert len(found[0]) > 1, found
        assert page.evaluate(ALONE) == [], name


def test_a_low_window_shows_the_figure_and_the_picture(common_server, page, layout_set):
    """A laptop's at 150 %: what stands above them took the first screen."""
    page.set_viewport_size({"width": 853, "height": 533})
    open_page(page, common_server, "quality", layout_set)
    assert page.locator(".st-key-effort, .st-key-precision_recall").first.bounding_box()["y"] < 260
    page.emulate_media(color_scheme="dark")  # a popover stands outside the app's own element
    page.get_by_role("button", name="Runs:").click()
    page.wait_for_function("""() => {
      const popover = document.querySelector('[data-testid="stPopoverBody"]');
      const chosen = popover?.querySelector('[data-selected="true"] p');
      return chosen && getComputedStyle(chosen).color === "rgb(168, 164, 255)";
    }""")
    open_page(page, common_server, "review", layout_set)
    assert page.locator(".stage").bounding_box()["height"] > 200
    assert page.locator("h1").count() == 1  # said to a reader, not shown
    open_page(page, common_server, "export", layout_set)
    download = page.locator(".st-key-download").bounding_box()
    assert download["y"] + download["height"] < 533


def test_the_first_screen_of_compare_holds_figures_and_the_head_of_the_table(
    common_server, page, layout_set
):
    open_page(page, common_server, "quality", layout_set)
    figure, table = (
        page.locator(each).first.bounding_box()
        for each in (".st-key-effort", ".st-key-compare_body [data-testid=stDataFrame]")
    )
    assert figure["height"] >= 300
    assert table["y"] + 3 * 30 < 800  # its head and the first two methods


def test_a_large_screen_is_used(common_server, page, layout_set):
    """The lower third stood empty: figures grow with the window, what stood below stands beside."""
    page.set_viewport_size({"width": 2560, "height": 1440})
    open_page(page, common_server, "retraining", layout_set)
    assert page.locator(".st-key-before_after").bounding_box()["height"] > 900
    open_page(page, common_server, "runs", layout_set)
    page.wait_for_function("""() => {
      const headings = [...document.querySelectorAll("h2")];
      const history = headings.find((each) => each.innerText === "History");
      return history?.getBoundingClientRect().left > 1300;
    }""")
    open_page(page, common_server, "data", layout_set)
    page.wait_for_function("""() => {
      const bars = document.querySelector("[class*=st-key-balance_] .main-svg");
      return bars?.getBoundingClientRect().height >= 4 * 46;
    }""")


@pytest.mark.parametrize("width", [768, 1024])
def test_what_belongs_to_figures_stands_together(common_server, page, layout_set, width):
    """Runs stood alone on a row of its own, and the last of four facts below the others."""
    page.set_viewport_size({"width": width, "height": 900})
    open_page(page, common_server, "quality", layout_set)
    tops = """(nodes) => nodes.map((each) => {
      const { top, height } = each.getBoundingClientRect();
      return Math.round((top + height / 2) / 12);
    })"""
    pair = page.locator(".st-key-compare_figures :is([role=radiogroup], .stPopover)")
    assert pair.count() == 2
    assert len(set(pair.evaluate_all(tops))) == 1
    facts = page.locator(".st-key-facts > *")
    assert len({round(each.bounding_box()["y"]) for each in facts.all()}) == 1


@pytest.mark.parametrize(
    ("address", "name"), [("compare?view=losses", "View"), ("explore", "Colour by")]
)
def test_a_telephone_shows_every_choice_of_a_row(common_server, page, layout_set, address, name):
    """Those that stood to the right of the window said nothing of themselves."""
    page.set_viewport_size({"width": 390, "height": 844})
    joint = "&" if "?" in address else "?"
    page.goto(f"{common_server.url}/{address}{joint}dataset={layout_set.name}")
    row = page.get_by_role("radiogroup", name=name)
    row.wait_for()
    boxes = [each.bounding_box() for each in row.get_by_role("radio").all()]
    assert len(boxes) > 3
    assert max(box["x"] + box["width"] for box in boxes) <= 390


def test_a_line_of_thumbnails_squeezes_none_and_cuts_none(page, layout_set):
    strip = _ui.thumb_strip(layout_set, range(8), side=48)
    page.set_content(f'<div style="width:200px">{strip}</div>')
    line = page.locator("div div").bounding_box()
    boxes = [each.bounding_box() for each in page.locator("img").all()]
    assert {(box["width"], box["height"]) for box in boxes} == {(48, 48)}
    seen = [box for box in boxes if box["y"] < line["y"] + line["height"]]
    assert len(seen) == 3
    assert all(box["x"] + box["width"] <= line["x"] + 200 for box in seen)


def test_a_measure_finds_what_it_is_for(page):
    """The measuring itself: a page with one of each fault."""
    page.set_content("""
      <div data-testid="stMain" style="width: 300px; overflow: auto; font: 16px/1.4 sans-serif">
        <div style="width: 40px; overflow: hidden; white-space: nowrap">cut by its box</div>
        <div style="width: 40px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis"
          title="all of it">explained by a tooltip</div>
        <p style="margin: 0">below</p><p style="margin: -22px 0 0">above</p>
        <b class="name" style="display: block; width: 5px; overflow-x: auto">collapsed</b>
        <div style="width: 400px">wide</div>
      </div>""")
    said = page.evaluate(MEASURE)
    assert [words.split(":")[0] for words in said] == [
        "scrolls sideways",
        "cut",
        "lies on “above”",
        "class name collapsed",
    ]


@pytest.mark.parametrize("width", [1100, 1280, 1920, 2560])
def test_presenting_keeps_the_five_methods_side_by_side(common_server, page, layout_set, width):
    """The larger type put the fifth below the others, under the window's edge."""
    page.set_viewport_size({"width": width, "height": 800})
    open_page(page, common_server, "five on the wall", layout_set)
    tops = [each.bounding_box()["y"] for each in page.locator(".fv .column").all()]
    assert len(tops) == 5
    assert len(set(tops)) == 1, tops


def test_recipes_of_two_methods_wrap_and_none_is_cut(common_server, page, layout_set):
    """They ran out of the card at the right, and nothing said that there are more."""
    open_page(page, common_server, "runs", layout_set)
    page.get_by_text("More methods").first.click()
    page.locator(".st-key-recipes").wait_for()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.evaluate(STILL)
        assert [said for said in page.evaluate(MEASURE) if "recipes" in said] == []
        card = page.locator(".st-key-recipes").bounding_box()
        for pill in page.locator(".st-key-recipes button").all():
            box = pill.bounding_box()
            assert box["x"] + box["width"] <= card["x"] + card["width"] + 1


@pytest.mark.parametrize("width", [390, 853, 1024])
def test_the_counts_of_an_export_stand_in_columns(common_server, page, layout_set, width):
    page.set_viewport_size({"width": width, "height": 844})
    open_page(page, common_server, "export", layout_set)
    lefts = [each.bounding_box()["x"] for each in page.locator(".lnl-figures > div").all()]
    assert len(lefts) == 4
    assert (lefts[0], lefts[1]) == (lefts[2], lefts[3])


def test_on_a_telephone_keys_look_alike_and_no_plan_of_them_is_untrue(
    common_server, page, layout_set
):
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, common_server, "page", layout_set)
    assert page.locator(".keymap").is_hidden()
    assert page.get_by_text("Keys lie as the images do").is_hidden()
    page.goto(f"{common_server.url}/review?dataset={layout_set.name}&mode=blind")
    page.locator(".key.relabel").wait_for()
    caps = [each.bounding_box()["y"] for each in page.locator(".keys .key kbd").all()]
    assert max(caps) - min(caps) < 4, caps  # one is written a little smaller
