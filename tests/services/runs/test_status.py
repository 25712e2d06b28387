"""How data sets stand: what `lnl status` counts is what the pages count."""

from lnl_core.services.in_force import standing
from lnl_core.services.runs import status
from lnl_core.store import decisions
from lnl_core.types import Action, Decision


def test_reviewed_counts_images_with_an_answer_other_than_skip(workspace, tiny):
    said = [
        (0, Action.KEEP, "ann"),
        (0, Action.UNSURE, "bob"),  # one image, two people
        (1, Action.UNSURE, "ann"),
        (2, Action.SKIP, "ann"),
        (3, Action.NONE, "ann"),
        (3, Action.REOPEN, "ann"),
        (4, Action.KEEP, "ann"),
        (4, Action.SKIP, "ann"),
    ]
    decisions.append(tiny, [Decision(*each) for each in said])
    (found,) = status.status([tiny])["datasets"]
    assert found["reviewed"] == standing(tiny).reviewed == 2
    assert found["scored"] is False
