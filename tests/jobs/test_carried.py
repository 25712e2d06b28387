"""After a feedback round every place says the same chances: the earlier ones, corrected once."""

import itertools

import numpy as np
import pytest

from lnl_core.jobs import carried, outcome, queue, splits
from lnl_core.methods import taught
from lnl_core.review import labelled
from lnl_core.services import in_force
from lnl_core.services.export import exporting, scores
from lnl_core.services.review import desk, draws, expecting
from lnl_core.store import arrays, audits, datasets, decisions
from lnl_core.types import Action, Decision, JobState, Signals
from tests.services.review.test_auditing import Reviewer, make


def run(info, strength, *, told=None):
    """A finished run of which wrong labels stand out by `strength`; a small one doubts hardly."""
    data = datasets.load(info)
    rng, n = np.random.default_rng(7), len(data)
    given, truth = np.asarray(data.given_labels), np.asarray(data.true_labels)
    probs = rng.dirichlet(np.ones(3), n) * 0.6
    probs[np.arange(n), given] += 0.4 - strength * (given != truth)
    probs[np.arange(n), truth] += strength * (given != truth)
    job = queue.submit(info, "sr")
    queue.claim(info.workspace)
    folder = queue.run_dir(info.workspace, job)
    arrays.save_signals(folder, Signals("sr", 1 - probs[np.arange(n), given], probs))
    arrays.write_array(folder / "trusted.npy", np.zeros(n, bool) if told is None else told)
    queue.finish(info.workspace, job.id, JobState.DONE)
    outcome.rank(info)


def own(info, number):
    """The chances that a run gives by itself."""
    signals = arrays.load_signals(info.directory / "runs" / str(number))
    given, kept = np.asarray(datasets.load(info).given_labels), in_force.standing(info).kept
    return labelled.rank([signals], given, 3, kept, (), (), taught(["sr"])).p_wrong


@pytest.fixture
def told(workspace, tmp_path, once):
    """600 images, half answered, and a round whose run learned the answers but for the draws."""

    def round_():
        info = make(workspace, tmp_path, 600)
        run(info, 0.3)
        Reviewer(workspace, info).review(300)
        before = expecting.expected(info, fresh=True)
        known = in_force.standing(info).answered
        known[[each.row for each in audits.draws(info)]] = False
        run(info, 0.05, told=known)
        return info, before

    return once("carried", round_)


def test_the_desk_the_files_and_the_sum_say_the_same_chance(told):
    info, before = told
    ahead = expecting.expected(info, fresh=True)
    said = {row: cells for row, cells in enumerate(scores.rank_rows(info))}
    written = np.array([float(said[row]["p_wrong"]) for row in ahead.open])
    assert ahead.told
    np.testing.assert_allclose(written, ahead.p[ahead.open], atol=2e-3)
    assert written.sum() == pytest.approx(before.left, abs=1)
    shown = [each for each in desk.review_state(info, "ann").items if "p_wrong" in each]
    for each in shown:
        assert in_force.score_shown(info, each["row"]) == float(said[each["row"]]["p_wrong"])
    data = datasets.load(info)
    listed = {each["id"]: each["p_wrong"] for each in exporting.manifest_rows(info)[0]}
    for row in ahead.open:
        assert float(listed[data.ids[row]]) == float(said[row]["p_wrong"])


def test_the_round_gives_the_order(told):
    info, _ = told
    p, open_ = in_force.scored(info).ranking.p_wrong, expecting.expected(info, fresh=True).open
    raw = own(info, 2)[open_]
    assert (np.diff(p[open_][np.argsort(raw)]) > -1e-9).all()
    data = datasets.load(info)
    left = (np.asarray(data.given_labels) != np.asarray(data.true_labels))[open_].sum()
    assert abs(p[open_].sum() - left) < abs(raw.sum() - left) / 2


def test_a_round_that_judges_a_part_says_the_same_chance_of_it_everywhere(told):
    info, _ = told
    part = np.arange(info.n) % 4 == 0
    whole = expecting.expected(info, fresh=True).p
    arrays.write_array(info.directory / "runs" / "2" / splits.JUDGED, part)
    outcome.rank(info)
    ranked, ahead = in_force.scored(info), expecting.expected(info, fresh=True)
    open_ = part & ~in_force.standing(info).answered
    p = np.asarray(ranked.ranking.p_wrong)
    np.testing.assert_allclose(p[open_], ahead.p[open_], atol=1e-6)
    assert p[open_].sum() == pytest.approx(whole[open_].sum(), rel=0.35)
    assert not p[~part].any()  # nothing judges them


def test_a_run_that_was_told_nothing_keeps_its_own_chances(workspace, tmp_path):
    info = make(workspace, tmp_path, 600)
    run(info, 0.3)
    Reviewer(workspace, info).review(100)
    run(info, 0.2)
    np.testing.assert_allclose(in_force.scored(info).ranking.p_wrong, own(info, 2), atol=1e-6)


def test_where_the_earlier_ranking_is_gone_the_round_keeps_its_own(told):
    info, _ = told
    folder = info.directory / "ranking"
    version = arrays.version_before_review(folder)
    (folder / version / "p_wrong.npy").unlink()
    outcome.rank(info)
    np.testing.assert_allclose(in_force.scored(info).ranking.p_wrong, own(info, 2), atol=1e-6)


def test_what_is_said_of_labels_is_what_the_desk_says(workspace, tiny):
    every = (Action.KEEP, Action.RELABEL, Action.NONE, Action.UNSURE, Action.SKIP)
    pairs = list(itertools.product(every, every))
    given = datasets.load(tiny).given_labels
    decisions.append(
        tiny,
        [
            Decision(row, each, who, label=(given[row] + 1) % 3 if each is Action.RELABEL else None)
            for row, two in enumerate(pairs)
            for who, each in zip(("ann", "bob"), two, strict=True)
        ],
    )
    desk_says = draws.about_given(in_force.standing(tiny))
    here = {draws.OPEN: 0, draws.RIGHT: 1, draws.WRONG: 2, draws.UNCLEAR: 3}
    assert carried._said(tiny).tolist() == [here[each] for each in desk_says.tolist()]
