"""The tour for lab meetings: one press, seven captions, each on its page."""

from lnl_core.jobs import queue
from lnl_core.services import touring
from lnl_core.services.datasets.catalog import PHOTOGRAPHS
from lnl_core.store import datasets
from pages import _tour, _ui


def test_the_press_starts_every_method_once_and_shows_the_first_caption(
    desk, workspace, no_worker, texts
):
    app = desk()
    app.button(key="tour_start").click().run()
    assert not app.exception
    assert _tour.STOPS[0].title in texts(app)
    info = datasets.dataset(workspace, PHOTOGRAPHS)
    started = [job.method for job in reversed(queue.jobs(info))]
    assert started == [name.partition("@")[0] for name in touring.tour_runs(info)]
    assert {"probe", "ce", "sr", "jump", "influence", "dmlp", "hnml"} <= set(started)
    assert [job.method for job in queue.jobs(info, tasks=True)] == ["embedding"]
    assert touring.start_tour(workspace) == info
    app = desk()
    app.session_state["tour"] = 0
    app.query_params["tour"] = "start"
    app.run()
    assert len(queue.jobs(info)) == len(started)


def test_next_turns_the_caption_and_end_takes_it_away(desk, ranked, texts):
    app = desk(tour="1")
    assert _tour.STOPS[0].title in texts(app)
    app.button(key="tour_next").click().run()
    assert not app.exception
    assert "2 of 7" in texts(app)
    app.button(key="tour_end").click().run()
    assert "of 7]" not in texts(app)
    assert "tour" not in app.query_params


def test_every_stop_is_a_page_and_nonsense_in_the_address_is_no_stop(desk, ranked, texts):
    for stop in _tour.STOPS:
        assert (_ui.PAGES / f"{stop.page}.py").is_file(), stop.page
    assert len(_tour.STOPS) == 7
    app = desk(tour="9")
    assert not app.exception
    assert "of 7]" not in texts(app)
