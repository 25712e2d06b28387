"""Every page for people who use a keyboard, a reader, or little motion; axe-core looks along.

axe-core comes with `npm install`; without it only what needs it is skipped.
"""

from pathlib import Path

import pytest

from tests.browser.conftest import Window
from tests.browser.desk import STILL
from tests.browser.test_layout import PAGES, layout_set, open_page  # noqa: F401

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"

STREAMLIT = {}
"""What axe finds in Streamlit's own elements and we cannot mend: (rule, selector) -> why."""

RUN = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, html }) => [id, target.flat().join(" "), html.slice(0, 120)]));
}"""

HERE = """
const parentOf = (each) => each.parentElement ?? each.getRootNode().host ?? null;
const deepest = () => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at;
};
function* elementsIn(root) {
  for (const each of root.querySelectorAll("*")) {
    yield each;
    if (each.shadowRoot) yield* elementsIn(each.shadowRoot);
  }
}
"""

REACHABLE = f"""() => {{ {HERE}
  const isSeen = (each) =>
    each.checkVisibility({{ visibilityProperty: true, opacityProperty: true }});
  const main = document.querySelector('[data-testid="stMain"]');
  const wanted = [...elementsIn(main)].filter((each) =>
    each.matches("button, a[href], input, select, textarea, [tabindex]") && each.tabIndex >= 0 &&
    !each.disabled && isSeen(each) && each.type !== "file" &&
    !each.closest("[aria-hidden=true], [inert]"));
  // Tab reaches one button of a group of choices; arrows do the rest.
  const first = wanted.filter((each) => each.type !== "radio" || each.checked);
  window.unreached = new Set(first);
  return first.length;
}}"""

TABBED = f"""async () => {{ {HERE}
  // What a field looks like without the focus comes with the next picture.
  for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
  const at = deepest();
  for (let each = at; each; each = parentOf(each)) window.unreached.delete(each);
  const group = at?.closest('[role="radiogroup"], [data-testid="stButtonGroup"]');
  for (const each of group?.querySelectorAll("button, input") ?? []) window.unreached.delete(each);
  // Where the focus is shows when something looks otherwise once it has left.
  const look = (nodes) => JSON.stringify(nodes.map((each) => {{
    const {{ outline, boxShadow, borderColor, backgroundColor }} = getComputedStyle(each);
    return [outline, boxShadow, borderColor, backgroundColor];
  }}));
  const last = window.last;
  const compound = last?.nodes.slice(0, 4).some((each) => each.contains(at)); // its buttons
  const left = last && last.at !== at && last.at.isConnected && !compound;
  const same = left && look(last.nodes) === last.look;
  const nodes = [];
  for (let each = at; each && nodes.length < 8; each = parentOf(each)) nodes.push(each);
  window.last = at && at !== document.body ? {{ at, nodes, look: look(nodes) }} : null;
  return [window.unreached.size, same ? last.at.outerHTML.slice(0, 160) : ""];
}}"""


@pytest.fixture(scope="module")
def axe():
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm install")
    return AXE.read_text("utf-8")


@pytest.fixture(scope="module")
def window(browser):
    made = Window(browser)
    yield made
    made.context.close()


@pytest.fixture(scope="module", params=PAGES)
def opened(request, window, common_server, layout_set):  # noqa: F811
    """One of the pages, opened once, in light, for all that looks at it."""
    open_page(window.page, common_server, request.param, layout_set)
    yield window.page
    assert window.emptied(), window.thrown


def check(page, axe):
    page.evaluate(axe)
    found = page.evaluate(RUN)
    ours = [each for each in found if not any(_is(each, known) for known in STREAMLIT)]
    assert not ours, "\n".join(map(str, ours))


def test_axe_finds_nothing(opened, axe):
    check(opened, axe)


def test_axe_finds_nothing_in_the_dark(opened, axe):
    """The page follows the system's colours, there and back."""
    show(opened, "dark")
    check(opened, axe)
    show(opened, "light")


def show(page, scheme):
    page.emulate_media(color_scheme=scheme)
    shown = "(scheme) => getComputedStyle(document.querySelector('.stApp')).colorScheme === scheme"
    page.wait_for_function(shown, arg=scheme)
    page.evaluate(STILL)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_beside_an_open_menu(common_server, page, layout_set, scheme, axe):  # noqa: F811
    """Streamlit darkens what is open in either theme: on a dark page nobody could read it."""
    page.emulate_media(color_scheme=scheme)
    open_page(page, common_server, "export", layout_set)
    page.get_by_role("button", name="This is not me").click()
    page.get_by_label("Your name").wait_for()
    page.evaluate(axe)
    found = page.evaluate(RUN)
    assert not [each for each in found if each[0] == "color-contrast"], found


def _is(found, known):
    rule, selector = known
    return found[0] == rule and selector in found[1]


def test_tab_reaches_everything_and_shows_where_it_is(opened):
    page = opened
    page.evaluate("document.activeElement?.blur()")
    wanted = page.evaluate(REACHABLE)
    assert wanted
    unseen = []
    for _ in range(2 * wanted + 40):
        page.keyboard.press("Tab")
        left, element = page.evaluate(TABBED)
        if element and "data-grid-canvas" not in element:  # a table paints its ring inside
            unseen.append(element)
        if not left:
            break
    missed = page.evaluate("[...window.unreached].map((each) => each.outerHTML.slice(0, 160))")
    assert not missed, "\n".join(missed)
    assert not unseen, "\n".join(unseen)


def test_tab_enters_a_row_of_choices_at_the_chosen_one(common_server, page, layout_set):  # noqa: F811
    from playwright.sync_api import expect

    open_page(page, common_server, "losses", layout_set)
    row = page.get_by_role("radiogroup", name="View")
    page.get_by_role("button", name="Report").focus()
    page.keyboard.press("Tab")
    expect(row.get_by_role("radio", name="Losses")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(row.get_by_role("radio", name="Agreement")).to_be_checked()
    page.keyboard.press("Tab")
    expect(row.get_by_role("radio").locator(":scope:focus")).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(row.get_by_role("radio", name="Agreement")).to_be_focused()


def test_little_motion_is_asked_for_and_given(common_server, page, layout_set):  # noqa: F811
    """The skeleton of evidence that is late pulses, but not for who wants no motion."""
    held = []
    page.route("**/evidence/**", lambda route: held.append(route))
    open_page(page, common_server, "review", layout_set)
    page.keyboard.press("w")
    pulse = page.locator(".skeleton").first
    pulse.wait_for()
    name = "node => getComputedStyle(node).animationName"
    assert pulse.evaluate(name) == "pulse"
    page.emulate_media(reduced_motion="reduce")
    assert pulse.evaluate(name) == "none"
    for route in held:
        route.continue_()


def test_the_desks_have_names_and_roles(common_server, page, layout_set):  # noqa: F811
    from playwright.sync_api import expect

    open_page(page, common_server, "review", layout_set)
    desk = page.get_by_role("group", name="Review, one image at a time")
    for word in ("Right", "Wrong", "Unsure"):
        expect(desk.get_by_role("button", name=word)).to_have_count(1)
    expect(desk.get_by_role("region", name="Image to review")).to_have_count(1)
    expect(desk.get_by_role("img", name="given label").first).to_be_visible()
    open_page(page, common_server, "explore", layout_set)
    field = page.get_by_role("application", name="Map of the images")
    expect(field).to_have_count(1)
    expect(page.get_by_role("toolbar", name="Map").get_by_role("button")).to_have_count(8)
