"""Classes that people add while they review."""

import functools
import io

import numpy as np
import pytest
from sqlalchemy import make_url, text

from lnl_core.jobs import inputs
from lnl_core.services import in_force
from lnl_core.services.datasets import growing
from lnl_core.services.export import exporting, reimporting
from lnl_core.services.review import desk, new_classes, recording
from lnl_core.store import datasets, db, decisions, looks
from lnl_core.types import Action, Busy, Decision, LnlError, NoAnswer, NotFound
from tests.conftest import register_tiny


def again(info):
    return datasets.dataset(info.workspace, info.name)


def press(row, name, cid=None):
    entry = {"cid": cid or f"{name}-{row}", "row": row, "action": "relabel", "label": 99}
    return entry | {"new_class": name}


def test_an_answer_brings_a_class_with_it(scored):
    told = recording.record(scored, "ann", [press(4, "  sea   horse "), press(5, "sea horse")])
    assert told.problems == []
    info = again(scored)
    assert info.class_names == (*scored.class_names, "sea horse")
    assert info.new_classes == (3,)
    assert [decisions.in_force(info)[row][0].label for row in (4, 5)] == [3, 3]
    state = desk.review_state(info, "bob")
    assert state.ready
    assert len(in_force.scored(info).ranking.transition_matrix) == 4


def test_two_reviewers_get_one_class_and_a_journal_sent_twice_too(scored):
    recording.record(scored, "ann", [press(4, "owl")])
    recording.record(scored, "bob", [press(6, "owl")])  # with the set as it was before
    recording.record(scored, "ann", [press(4, "owl")])
    info = again(scored)
    assert info.class_names[3:] == ("owl",)
    assert decisions.in_force(info)[6][0].label == 3
    assert len(list(decisions.history(info))) == 2


def test_who_looks_at_the_set_as_it_was_may_answer_with_a_class_added_since(scored):
    recording.record(scored, "ann", [press(4, "owl")])
    said = {"cid": "x", "row": 6, "action": "relabel", "label": 3}
    assert recording.record(scored, "bob", [said]).problems == []
    datasets.rename(scored, "renamed")
    assert recording.record(scored, "bob", [press(7, "yak"), press(8, "owl")]).problems == []
    info = datasets.dataset(scored.workspace, "renamed")
    assert [decisions.in_force(info)[row][0].label for row in (6, 7, 8)] == [3, 4, 3]


def test_an_answer_whose_class_cannot_be_stored_now_is_not_acknowledged(scored, monkeypatch):
    soon = functools.partial(datasets.change_meta, patience=0.05)
    monkeypatch.setattr(datasets, "change_meta", soon)
    with db.transaction(scored.workspace) as other:
        other.execute(text("UPDATE reviewers SET created_at = created_at"))
        with pytest.raises(Busy):  # the browser keeps it, and sends it again
            recording.record(scored, "ann", [press(4, "owl")])
    assert recording.record(scored, "ann", [press(4, "owl")]).problems == []
    datasets.remove(scored)
    with pytest.raises(NotFound, match="no such data set"):
        recording.record(scored, "ann", [press(5, "owl")])


def test_an_answer_with_a_class_is_sent_again_after_the_server_went_away(
    postgresql, tmp_path, monkeypatch
):
    import psycopg

    from tests.postgres import new_database

    url = new_database(postgresql)
    ws = db.open_workspace(tmp_path / "team", url)
    info = register_tiny(ws, tmp_path)
    own, name = postgresql("template1").replace("+psycopg", ""), make_url(url).database
    change = datasets.change_meta

    def gone(*asked):
        with psycopg.connect(own, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
        try:
            change(*asked)
        finally:
            with psycopg.connect(own, autocommit=True) as connection:
                connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    with monkeypatch.context() as patch:
        patch.setattr(datasets, "change_meta", gone)
        with pytest.raises(NoAnswer, match=r"not currently accepting|terminat|closed"):
            recording.record(info, "ann", [press(4, "owl")])
    entry = press(4, "owl")
    assert recording.record(info, "ann", [entry]).acked == [entry["cid"]]
    assert set(decisions.in_force(info)) == {4}
    db.dispose(ws)


@pytest.mark.parametrize("name", ["Belt", "BELT  ", "be lt", "be-lt"])
def test_a_class_under_another_spelling_is_refused_with_the_right_one(scored, name):
    told = recording.record(scored, "ann", [press(4, name)])
    assert "“belt”. Did you mean it?" in told.problems[0]
    assert decisions.in_force(again(scored)) == {}
    assert again(scored).class_names == scored.class_names


def test_a_class_that_is_there_is_that_class(scored):
    assert recording.record(scored, "ann", [press(4, " belt ")]).problems == []
    assert decisions.in_force(again(scored))[4][0].label == 1
    assert again(scored).new_classes == ()


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "nul\x00"])
def test_what_cannot_be_a_name(scored, name):
    with pytest.raises(LnlError, match="needs a name"):
        new_classes.add_class(scored, name)


def test_it_goes_with_the_answer_and_comes_back_under_its_number(scored):
    recording.record(scored, "ann", [press(4, "owl"), press(5, "yak")])
    assert new_classes.retired(again(scored)) == ()
    recording.record(again(scored), "ann", [{"cid": "z", "row": 4, "action": "reopen"}])
    assert new_classes.retired(again(scored)) == (3,)
    recording.record(again(scored), "bob", [press(9, "owl")])
    info = again(scored)
    assert new_classes.retired(info) == ()
    assert info.class_names[3:] == ("owl", "yak")
    assert decisions.in_force(info)[9][0].label == 3


def test_every_table_names_it_and_it_comes_back(scored):
    recording.record(scored, "ann", [press(4, "owl")])
    info = again(scored)
    out = io.BytesIO()
    exporting.write_export(info, "decisions", out)
    assert b",relabel,owl," in out.getvalue()
    rows, _, _ = exporting.manifest_rows(info)
    assert [row["label"] for row in rows][4] == "owl"
    decisions.append(info, [Decision(4, Action.REOPEN, "ann")])
    back = reimporting.import_decisions(info, io.BytesIO(out.getvalue()), "ann", replace_newer=True)
    assert back.stored == 1
    assert decisions.in_force(info)[4][0].label == 3


def test_a_run_learns_it_from_two_images_on(scored):
    recording.record(scored, "ann", [press(4, "owl")])
    info = again(scored)
    folder = info.directory / "runs" / "901"
    folder.mkdir(parents=True)
    one = inputs.training_set(info, folder)
    assert one.class_names == scored.class_names
    assert len(one) == info.n - 1  # the image that is an owl teaches no other class
    recording.record(info, "ann", [press(5, "owl")])
    info = again(info)
    folder = info.directory / "runs" / "902"
    folder.mkdir(parents=True)
    two = inputs.training_set(info, folder)
    assert two.class_names == (*scored.class_names, "owl")
    assert int((np.asarray(two.given_labels) == 3).sum()) == 2
    resumed = inputs.training_set(info, info.directory / "runs" / "901")
    assert resumed.class_names == scored.class_names  # as it began


def test_it_may_be_one_of_several_that_are_right(scored):
    entry = {"cid": "m", "row": 4, "action": "multiple", "labels": [0, 77]}
    entry |= {"new_class": "owl"}
    assert recording.record(scored, "ann", [entry]).acked == ["m"]
    info = again(scored)
    assert info.class_names[3:] == ("owl",)
    assert decisions.in_force(info)[4][0].labels == (0, 3)
    assert new_classes.retired(info) == ()


def test_two_people_who_add_a_class_at_once_each_get_their_own(scored):
    """Both browsers counted the new class as number 3; the second answer goes by its name."""
    recording.record(scored, "bob", [press(4, "bobs")])
    sent = [press(5, "anns"), press(6, "anns") | {"label": 3}]
    sent += [{"cid": "m", "row": 7, "action": "multiple", "labels": [1, 3, -1]}]
    sent[-1] |= {"named": ["", "bobs", "third"]}
    assert recording.record(scored, "ann", sent).problems == []
    info = again(scored)
    stored = decisions.in_force(info)
    assert info.class_names[3:] == ("bobs", "anns", "third")
    assert [stored[row][0].label for row in (4, 5, 6)] == [3, 4, 4]
    assert stored[7][0].labels == (1, 3, 5)


def test_names_that_do_not_go_with_the_labels_are_refused(scored):
    entry = {"cid": "m", "row": 7, "action": "multiple", "labels": [1, 2], "named": ["owl"]}
    assert "names do not go with" in recording.record(scored, "ann", [entry]).problems[0]
    assert again(scored).class_names == scored.class_names


def test_a_class_that_came_with_images_is_found_by_its_name_as_it_is_written(scored, tmp_path):
    rng = np.random.default_rng(3)
    images = rng.integers(0, 255, (2, scored.height, scored.width, 3), dtype=np.uint8)
    file = tmp_path / "more.npz"
    np.savez(file, images=images, labels=np.zeros(2, int), class_names=np.array(["snow  owl"]))
    assert growing.add_images(scored, file, new_classes=True).added == 2
    info = again(scored)
    assert info.class_names[3] == "snow  owl"
    assert info.imported_classes == 3  # keys stand for the classes of the import alone
    assert recording.record(info, "ann", [press(5, "snow  owl")]).problems == []
    assert decisions.in_force(again(scored))[5][0].label == 3


def test_keys_stand_for_the_classes_of_the_import_whatever_is_added(scored):
    assert scored.imported_classes == 3
    recording.record(scored, "ann", [press(4, "owl"), press(5, "yak")])
    assert again(scored).imported_classes == 3
    recording.record(scored, "ann", [{"cid": "z", "row": 4, "action": "reopen"}])
    assert again(scored).imported_classes == 3


def test_a_number_brings_no_class_back_and_a_name_does(scored):
    back = [press(4, "owl"), {"cid": "z", "row": 4, "action": "reopen"}]
    recording.record(scored, "ann", back)
    bare = {"cid": "n", "row": 5, "action": "relabel", "label": 3}
    told = recording.record(again(scored), "ann", [bare])
    assert told.acked == ["n"]
    assert "“owl” is offered no more" in told.problems[0]
    several = {"cid": "m", "row": 5, "action": "multiple", "labels": [0, 3]}
    assert "offered no more" in recording.record(again(scored), "ann", [several]).problems[0]
    assert 5 not in decisions.in_force(again(scored))
    sent = [press(6, "owl"), bare | {"cid": "n2"}]  # the name first: then the number is offered
    assert recording.record(again(scored), "ann", sent).problems == []
    assert {decisions.in_force(again(scored))[row][0].label for row in (5, 6)} == {3}


def test_an_answer_that_is_stored_is_not_refused_when_it_comes_again(scored):
    named, bare = press(4, "owl"), {"cid": "n", "row": 5, "action": "relabel", "label": 3}
    recording.record(scored, "ann", [named, bare])
    undone = [{"cid": f"z{row}", "row": row, "action": "reopen"} for row in (4, 5)]
    recording.record(again(scored), "ann", undone)
    assert new_classes.retired(again(scored)) == (3,)
    assert recording.record(again(scored), "ann", [named, bare]).problems == []


def test_a_class_that_no_row_of_a_file_used_is_taken_back(scored, tmp_path, monkeypatch, capsys):
    from lnl_core.cli import main

    monkeypatch.setenv("LNL_HOME", str(scored.workspace.home))
    id_ = in_force.loaded(scored).ids[4]
    (tmp_path / "d.csv").write_text(f"id,action,label\n{id_},relabel,owl\n")
    say = ["decide", scored.name, "--file", str(tmp_path / "d.csv"), "--reviewer", "ann"]
    main([*say, "--new-class", "owl", "--new-class", "yak"])
    assert "names “yak”: it is no class" in capsys.readouterr().err
    assert again(scored).class_names[3:] == ("owl",)
    assert again(scored).new_classes == (3,)


def test_a_class_that_an_answer_taken_back_names_keeps_its_number(
    scored, tmp_path, monkeypatch, capsys
):
    from lnl_core.cli import main

    monkeypatch.setenv("LNL_HOME", str(scored.workspace.home))
    ids = in_force.loaded(scored).ids
    lines = [
        "id,action,label,decided_at",
        f"{ids[4]},relabel,owl,2026-01-01T10:00:00Z",
        f"{ids[4]},reopen,,2026-01-02T10:00:00Z",
        f"{ids[5]},multiple,belt|yak,2026-01-01T10:00:00Z",
        f"{ids[5]},reopen,,2026-01-02T10:00:00Z",
    ]
    (tmp_path / "d.csv").write_text("\n".join(lines) + "\n")
    say = ["decide", scored.name, "--file", str(tmp_path / "d.csv"), "--reviewer", "ann"]
    assert main([*say, "--new-class", "owl", "--new-class", "yak", "--new-class", "hen"]) == 0
    assert "names “hen”: it is no class" in capsys.readouterr().err
    info = again(scored)
    assert info.class_names[3:] == ("owl", "yak")
    assert new_classes.retired(info) == (3, 4)
    info, _ = new_classes.add_class(info, "emu")
    out = io.BytesIO()
    exporting.write_export(info, "decisions", out)
    assert b",relabel,owl," in out.getvalue()
    assert b",multiple,belt|yak," in out.getvalue()
    assert b"emu" not in out.getvalue()


def test_a_class_that_is_answered_with_while_it_is_taken_back_stays(scored, monkeypatch):
    info, owl = new_classes.add_class(scored, "owl")
    change = datasets.change_meta

    def later(*asked):
        decisions.append(info, [Decision(6, Action.RELABEL, "bob", label=owl)])
        change(*asked)

    monkeypatch.setattr(datasets, "change_meta", later)
    assert new_classes.drop_unused(info, ["owl"]) == []
    assert again(info).class_names[owl] == "owl"


@pytest.mark.parametrize("store", [decisions.append, looks.append])
@pytest.mark.parametrize("after", [None, "yak"])
def test_an_answer_with_a_class_taken_back_is_sent_again(scored, store, after):
    info, owl = new_classes.add_class(scored, "owl")
    assert new_classes.drop_unused(info, ["owl"]) == ["owl"]
    if after is not None:
        assert new_classes.add_class(again(info), after)[1] == owl
    with pytest.raises(Busy, match="changed meanwhile"):
        store(info, [Decision(6, Action.MULTIPLE, "bob", labels=(0, owl), given_label=0)])
    assert recording.record(info, "bob", [press(6, "owl")]).problems == []
    assert again(info).class_names[-1] == "owl"


def test_a_class_that_images_came_with_is_offered_without_any_answer(scored, tmp_path):
    recording.record(scored, "ann", [press(4, "owl")])
    rng = np.random.default_rng(3)
    shape = (5, scored.height, scored.width, 3)
    images = rng.integers(0, 255, shape, dtype=np.uint8)
    file = tmp_path / "owls.npz"
    np.savez(file, images=images, labels=np.zeros(5, int), class_names=np.array(["owl"]))
    assert growing.add_images(again(scored), file).added == 5
    recording.record(again(scored), "ann", [{"cid": "z", "row": 4, "action": "reopen"}])
    assert new_classes.retired(again(scored)) == ()
