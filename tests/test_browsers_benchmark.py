"""The benchmark of eight browsers: what it calls doubled, lost and under another name."""

from benchmarks import browsers

SENT = {"Ann": [1, 2, 3], "Ben": [4, 5]}


def test_a_session_in_which_everything_is_stored_under_its_name_has_no_fault():
    stored = [(row, name) for name, rows in SENT.items() for row in rows]
    found = browsers.compare(SENT, stored)
    assert found == {
        **{"pressed": 5, "stored": 5, "images": 5},
        **{"doubled": 0, "lost": 0, "under_another_name": 0},
    }


def test_each_fault_is_counted_as_what_it_is():
    assert browsers.compare(SENT, [(1, "Ann"), (2, "Ann"), (3, "Ann"), (4, "Ben")])["lost"] == 1
    twice = browsers.compare({"Ann": [1], "Ben": [1]}, [(1, "Ann"), (1, "Ben")])
    assert (twice["doubled"], twice["lost"]) == (1, 0)
    misnamed = browsers.compare({"Ann": [1], "Ben": [2]}, [(1, "Ann"), (2, "Ann")])
    assert (misnamed["under_another_name"], misnamed["lost"], misnamed["doubled"]) == (1, 1, 0)
