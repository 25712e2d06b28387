"""Why a pair is unclear: people contradict one another, or labels are wrong both ways."""

from lnl_core.services.explore.definitions import Definition


def test_corrections_both_ways_are_no_disagreement_of_people():
    pair = Definition(0, 1, kept={0: 9, 1: 9}, moved={0: 4, 1: 3})
    assert pair.disputed
    said = "The given labels are wrong both ways: Pants for T-Shirt, and T-Shirt for Pants."
    assert pair.words("Pants", "T-Shirt") == said


def test_people_disagree_where_they_contradict_one_another():
    pair = Definition(0, 1, moved={0: 4, 1: 3}, split=3)
    assert (
        pair.words("Pants", "T-Shirt") == "People disagree on where Pants ends and T-Shirt begins."
    )
    assert "find it unclear" in Definition(0, 1, both=2, unsure=1).words("Pants", "T-Shirt")
