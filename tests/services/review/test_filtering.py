"""What a queue is narrowed to: how a range of chances is written, and what it is counted beside."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lnl_core.services.explore.filters import Narrow, from_text
from lnl_core.services.review.filtering import chance_ends, chance_text

ends = st.none() | st.floats(0, 1)


@given(ends, ends)
@example(0.0123456, None)
@example(5e-05, 0.9)
@example(5e-324, 1.0)
def test_every_range_of_chances_is_read_back_as_it_was_written(low, high):
    text = chance_text(low, high)
    assert chance_ends(text) == (None if (low, high) == (None, None) else (low, high))
    narrow = Narrow(chance=text)
    assert from_text(narrow.as_text(), None) == narrow


@pytest.mark.parametrize("text", ["", "-", ".-", "0.5", "1.5-", "0.2-0.7-0.9", "5e-05-0.9", "٠-"])
def test_what_is_no_range_of_chances_is_not_read(text):
    assert chance_ends(text) is None
