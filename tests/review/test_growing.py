"""Evidence of an audit whose last answers change, beside evidence made anew."""

import numpy as np

from lnl_core.review.evidence import Audit, Evidence
from lnl_core.review.growing import EVERY, Growing


def told(said):
    return [said.likelihood.copy(), said.peak_above.copy(), said.around.copy()]


def test_a_look_says_what_evidence_made_anew_says_whatever_changed_since_the_last():
    rng, totals = np.random.default_rng(1), np.arange(241)
    kept, wrong = Growing(totals), np.zeros(0, bool)
    for _ in range(30):
        wrong = np.r_[wrong, rng.random(rng.integers(0, 5)) < 0.2]
        flipped = rng.random(len(wrong)) < 0.03  # an answer came, or was taken back
        wrong = wrong ^ flipped
        n = len(wrong)
        found = np.cumsum(np.r_[0, wrong])[:n]
        audit = Audit(240 - np.arange(n), found, wrong, ("audit",) * n)
        ends = {int(end) for end in rng.integers(0, n + 1, 3)}
        for end, now in zip(sorted(ends), kept.looks(audit, ends, told), strict=True):
            part = Audit(audit.unreviewed[:end], found[:end], wrong[:end], ("audit",) * end)
            for one, other in zip(now, told(Evidence.of(part, totals)), strict=True):
                np.testing.assert_array_equal(one, other)


def test_the_beginning_is_not_worked_out_again(monkeypatch):
    kept, n = Growing(np.arange(201)), 5 * EVERY
    audit = Audit(200 - np.arange(n), np.zeros(n, int), np.zeros(n, bool), ("audit",) * n)
    kept.looks(audit, [n], told)
    steps, draw = [], Evidence.draw
    monkeypatch.setattr(Evidence, "draw", lambda *each: (steps.append(1), draw(*each))[1])
    late = audit.wrong.copy()
    late[-3] = True
    kept.looks(Audit(audit.unreviewed, audit.found, late, audit.routes), [n], told)
    assert 3 <= len(steps) <= EVERY
