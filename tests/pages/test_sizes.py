"""What a page costs in a browser goes by how much it sends: counts that no machine changes."""

import pytest

MOST = {"": 62, "runs": 64, "review": 62, "explore": 84, "export": 46}
"""Page -> elements and blocks, with the sidebar's; few more than there are, for a caption."""


def parts(block):
    """Every element and block below one, itself included."""
    yield block
    for each in getattr(block, "children", {}).values():
        yield from parts(each)


@pytest.mark.parametrize("page", MOST)
def test_a_page_has_few_elements(desk, mapped, page):
    app = desk(page, dataset=mapped.name)
    assert not app.exception
    found = [part.type for part in parts(app._tree)]
    assert MOST[page] - 8 <= len(found) <= MOST[page], sorted(found)


def test_what_this_process_has_computed_once_comes_without_a_skeleton(desk, ranked):
    """Also in another session: each time a page is loaded is one."""
    desk(dataset=ranked.name)
    app = desk(dataset=ranked.name)
    kinds = [part.type for part in parts(app._tree)]
    assert "skeleton" not in kinds


@pytest.mark.parametrize(("page", "bound"), [("review", 20_000), ("explore", 4_000)])
def test_a_components_message_has_its_data_and_no_script(desk, mapped, page, bound):
    app = desk(page, dataset=mapped.name)
    own = [
        part.proto
        for part in parts(app._tree)
        if part.type == "bidi_component" and part.proto.component_name != "lnl_reviewer_memory"
    ]
    assert len(own) == 1
    assert len(own[0].js_content) < 200
    assert own[0].css_content == ""
    assert own[0].ByteSize() < bound
