"""Compare in a real browser: figures draw, the report is one click and opens without a network."""

import re
import zipfile

import pytest

from lnl_core.figures.palette import TONES
from tests.browser.test_explore import lay

pytestmark = pytest.mark.browser

PAGES = 7
"""Of A4 that the report of a small set takes; whole figures one below the other took 9."""


def test_the_report_is_one_click_and_opens_without_a_network(
    common_server, page, browser, make_set, tmp_path
):
    info = make_set(common_server, "for compare", ["cat", "dog", "</script><b>owl"])
    lay(info)
    page.goto(f"{common_server.url}/compare?dataset=for+compare")
    page.get_by_text("Precision needs answers").wait_for()
    page.locator("[data-testid=stPlotlyChart] .main-svg").first.wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Report as HTML").click()
    file = tmp_path / "report.html"
    download.value.save_as(file)
    assert 4_000_000 < file.stat().st_size < 8_000_000

    context = browser.new_context(offline=True)
    opened, said, asked = context.new_page(), [], []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.set_viewport_size({"width": 390, "height": 844})
    opened.goto(file.as_uri())
    opened.wait_for_selector("body[data-drawn]")
    assert opened.evaluate("document.documentElement.scrollWidth") == 390
    opened.set_viewport_size({"width": 1280, "height": 720})
    paper = opened.pdf(prefer_css_page_size=True, format="A4")
    assert len(re.findall(rb"/Type /Page\b", paper)) <= PAGES
    opened.emulate_media(media="print")
    halves = opened.locator(".figure[data-half]")
    tops = [each.bounding_box()["y"] for each in halves.all()]
    assert len(tops) == 2
    assert tops[0] == tops[1], "two losses share a row of paper"
    opened.emulate_media(media="null")
    figures = opened.locator(".figure")
    drawn = opened.locator(".figure .main-svg:first-child")
    assert figures.count() == drawn.count() >= 6
    assert opened.locator(".figure canvas.gl-canvas").count() >= 1, "the map is drawn"
    steps = opened.get_by_role("slider", name="epoch").first
    steps.focus()
    opened.keyboard.press("Home")
    assert steps.get_attribute("aria-valuetext") == "epoch 1 of 6"
    for form, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with opened.expect_download() as picture:
            figures.last.hover()
            figures.last.locator(f"[data-title='Save as {form}']").click()
        picture.value.save_as(tmp_path / form)
        assert (tmp_path / form).read_bytes().startswith(start)
        with opened.expect_download() as everything:
            opened.get_by_role("button", name=f"All figures as {form}").click()
        everything.value.save_as(tmp_path / "all.zip")
        with zipfile.ZipFile(tmp_path / "all.zip") as kept:
            assert kept.testzip() is None
            assert len(kept.namelist()) == figures.count()
            assert any("map" in name for name in kept.namelist())
            for name in kept.namelist():
                assert kept.read(name).startswith(start), name
                assert kept.getinfo(name).file_size > 3000
    context.close()
    assert [words for words in said if "GL Driver Message" not in words] == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.usefixtures("alone")
def test_a_wide_window_writes_larger_and_does_not_scroll(common_server, page, make_set):
    info = make_set(common_server, "wide", ["ant", "bee", "cow", "doe"])
    sizes = """() => [...document.querySelectorAll(".js-plotly-plot text")]
      .filter((text) => text.textContent)
      .map((text) => parseFloat(getComputedStyle(text).fontSize))"""
    page.add_init_script("""
      const painted = Object.getOwnPropertyDescriptor(CanvasRenderingContext2D.prototype, "font");
      window.fonts = [];
      Object.defineProperty(CanvasRenderingContext2D.prototype, "font", {
        ...painted, set(font) { window.fonts.push(font); painted.set.call(this, font); } });""")
    page.goto(f"{common_server.url}/compare?dataset={info.name}")
    page.wait_for_selector(".js-plotly-plot text")
    assert min(page.evaluate(sizes)) == 12
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.wait_for_function(f"() => Math.min(...({sizes})()) >= 16")
    page.reload()
    page.wait_for_function(f"() => Math.min(...({sizes})()) >= 16")
    page.wait_for_function("() => window.fonts.some((font) => font.includes(' 16px'))")
    overlap = page.locator(".st-key-quality_columns .stColumn").last
    assert overlap.bounding_box()["width"] == 560
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("main => main.scrollHeight <= main.clientHeight")


def test_what_the_server_draws_follows_the_screen_into_the_dark(common_server, page, make_set):
    info = make_set(common_server, "dusk", ["ant", "bee", "cow"])
    page.goto(f"{common_server.url}/compare?dataset={info.name}&view=agreement")
    ground = page.locator(".js-plotly-plot .main-svg").first
    ground.wait_for()
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(
            """(paper) => [...document.querySelectorAll(".js-plotly-plot")].every(
              ({ layout }) => layout.paper_bgcolor === paper)""",
            arg=TONES[scheme]["page"],
        )


STANDS = """() => {
  const { data, _transitionData } = document.querySelector(".st-key-loss_course .js-plotly-plot");
  const shown = JSON.stringify(data.map(({ y }) => y.bdata ?? y));
  return _transitionData._frames
    .filter((each) => JSON.stringify(each.data.map(({ y }) => y.bdata ?? y)) === shown)
    .map((each) => Number(each.name));
}"""


def test_keys_reach_the_course_of_losses_and_step_and_play_it(common_server, page, make_set):
    from playwright.sync_api import expect

    info = make_set(common_server, "stepped", ["ant", "bee", "cow"])
    page.goto(f"{common_server.url}/compare?dataset={info.name}&view=losses")
    page.locator(".st-key-loss_course .main-svg").first.wait_for()
    play, slider = page.get_by_role("button", name="Play"), page.get_by_role("slider", name="epoch")
    page.locator(".st-key-loss_course").get_by_role("button", name="Download plot").focus()
    page.keyboard.press("Tab")
    expect(play).to_be_focused()
    assert play.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    page.keyboard.press("Tab")
    expect(slider).to_be_focused()
    expect(slider).to_have_attribute("aria-valuetext", "epoch 6 of 6")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "epoch 2 of 6")
    page.wait_for_function(f"() => ({STANDS})().includes(2)")

    page.set_viewport_size({"width": 1300, "height": 800})  # Plotly draws it anew
    page.wait_for_function(f"() => ({STANDS})().includes(2)")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    expect(slider).to_have_attribute("aria-valuetext", "epoch 6 of 6")
    expect(play).to_be_focused()
    page.wait_for_function(f"() => ({STANDS})().includes(6)")


def test_who_wants_no_motion_gets_the_slider_alone(common_server, page, make_set):
    info = make_set(common_server, "calm", ["ant", "bee", "cow"])
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{common_server.url}/compare?dataset={info.name}&view=losses")
    page.get_by_role("slider", name="epoch").wait_for()
    assert not page.get_by_text("Play", exact=True).is_visible()
