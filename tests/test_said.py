"""Numbers as they are said: rounded once, never certain, parts that add up."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnl_core import said

COMPONENTS = Path(__file__).parents[1] / "pages" / "_components" / "desk" / "words.js"


@pytest.mark.parametrize(
    ("share", "digits", "words"),
    [
        (0.654, 0, "65 %"),
        (0.996, 0, ">99 %"),
        (1.0, 0, "100 %"),
        (0.004, 0, "<1 %"),
        (0.0, 0, "0 %"),
        (0.006, 0, "1 %"),
        (0.1234, 1, "12.3 %"),
        (0.9996, 1, ">99.9 %"),
        (0.0004, 1, "<0.1 %"),
        (0.9996, 2, "99.96 %"),
    ],
)
def test_a_share_is_all_or_nothing_only_where_it_is(share, digits, words):
    assert said.percent(share, digits).replace(said.NARROW, " ") == words


@pytest.mark.parametrize(
    ("p", "words"),
    [(0, "<0.01"), (0.009, "<0.01"), (0.5, "0.50"), (0.996, ">0.99"), (1, ">0.99")],
)
def test_a_chance_is_never_certain(p, words):
    assert said.chance(p) == words


shares_of_one = st.lists(st.floats(0, 1), min_size=1, max_size=12).map(
    lambda many: [each / max(sum(many), 1e-9) for each in many]
)


@given(shares_of_one, st.sampled_from([100, 1000]))
def test_parts_sum_to_the_whole_and_none_is_off_by_one(shares, of):
    found = said.parts(shares, of)
    if sum(shares) > 0.5:
        assert sum(found) == of
    assert all(abs(part - of * share) < 1 for part, share in zip(found, shares, strict=True))


@given(st.lists(st.integers(0, 500), min_size=1, max_size=9))
def test_counts_that_are_whole_stay(counts):
    assert said.parts(counts, 1) == counts


def test_the_largest_remainders_are_rounded_up():
    assert said.parts([0.335, 0.335, 0.33]) == [34, 33, 33]
    assert said.parts([0.505, 0.495]) == [51, 49]  # each by itself would be 51 and 50
    assert said.parts([1.5, 1.5, 1.0], 1) == [2, 1, 1]
    assert said.parts([0.25, 0.25]) == [25, 25]  # parts that are not shown are not made up for


@given(shares_of_one)
def test_chances_of_one_whole_are_never_more_than_it(shares):
    words = said.chances(shares)
    assert sum(float(each) for each in words if each[0] not in "<>") <= 1.0 + 1e-9
    assert not {"0.00", "1.00"} & set(words)


def test_the_browser_says_shares_and_chances_as_the_server_does():
    many = [i / 1000 for i in range(1001)]
    script = (
        f"import {{ chance, percent }} from {json.dumps(COMPONENTS.as_uri())};"
        f"console.log(JSON.stringify({json.dumps(many)}.map((p) => [chance(p), percent(p)])));"
    )
    try:
        done = subprocess.run(
            ["node", "--input-type=module", "-e", script],
            capture_output=True,
            text=True,
            check=True,
        )
    except FileNotFoundError:
        pytest.skip("needs node")
    for p, (chance, percent) in zip(many, json.loads(done.stdout), strict=True):
        if round(1000 * p) % 10 == 5:
            continue  # a half: the two languages round it to the even one or up
        assert (chance, percent) == (said.chance(p), said.percent(p))


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ([0.996, 0.004], [">99 %", "<1 %"]),
        ([1.0, 0.0], ["100 %", "0 %"]),
        ([0.805, 0.195], ["81 %", "19 %"]),
        ([0.335, 0.335, 0.33], ["34 %", "33 %", "33 %"]),
    ],
)
def test_percents_of_one_whole_add_up_and_none_is_all_unless_it_is(shares, words):
    assert [each.replace(said.NARROW, " ") for each in said.held(shares)] == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(1.0, "1.00"), (0.9993, ">0.99"), (0.0, "0.00"), (0.0004, "<0.01"), (-0.2, "-0.20")],
)
def test_a_measure_is_perfect_only_where_it_is(value, words):
    assert said.score(value) == words


def test_an_interval_of_shares_ends_at_all_only_where_it_does():
    assert said.percents(0.0004, 0.9996).replace(said.NARROW, " ") == "<1–>99 %"
    assert said.percents(0, 1, " to ").replace(said.NARROW, " ") == "0 to 100 %"


def test_a_command_can_be_copied_into_a_shell():
    words = said.command("audit", "Wardrobe öÄ", "--verify", Path("it's.json"))
    assert shlex.split(words) == ["lnl", "audit", "Wardrobe öÄ", "--verify", "it's.json"]
    assert said.command("relink", "birds", "ROOT") == "lnl relink birds ROOT"


NAMED = re.compile(r"""lnl [a-z]+ \{[^}]*name""")


@pytest.mark.parametrize("folder", ["lnl_core", "pages"])
def test_no_command_has_the_name_of_a_set_as_it_is(folder):
    for file in (Path(__file__).parents[1] / folder).rglob("*.py"):
        assert not NAMED.search(file.read_text("utf-8")), f"{file.name}: said.command quotes it"
