"""Compare in a real browser: figures draw, the report is one click and opens without a network."""

import pytest

pytestmark = pytest.mark.browser


def test_the_report_is_one_click_and_opens_without_a_network(
    common_server, page, browser, make_set, tmp_path
):
    make_set(common_server, "for compare", ["cat", "dog", "</script><b>owl"])
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
    opened.goto(file.as_uri())
    opened.wait_for_selector("body[data-drawn]")
    figures = opened.locator(".figure")
    drawn = opened.locator(".figure .main-svg:first-child")
    assert figures.count() == drawn.count() >= 4
    assert opened.locator("figure img").count() == 48
    with opened.expect_download() as picture:
        figures.first.hover()
        figures.first.locator("[data-title='Save as SVG']").click()
    assert picture.value.suggested_filename.endswith(".svg")
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
