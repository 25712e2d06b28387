"""Figures in the window there is: headings on lines that fit, legends that leave room."""

from dataclasses import replace
from itertools import pairwise

import pytest

from lnl_core.figures import costs, frame, retraining
from lnl_core.figures.palette import TONES
from lnl_core.services.explore import confusions
from lnl_core.views import Candidate
from pages import _charts, _figures
from pages._explore import matrix

LONG = "Share of the union of the most suspicious images of both of the runs that are compared"


def figure():
    made = frame.new_figure("Cats &amp; dogs", LONG, TONES["light"], 300, r=120)
    for name in ("one", "two<br>lines"):
        made.add_scatter(x=[0, 1], y=[0, 1], name=name)
    made.update_layout(showlegend=True)
    return made.update_xaxes(title_text=LONG)


def test_a_long_heading_takes_lines_and_the_plot_keeps_its_height():
    before, after = figure(), frame.folded(figure(), (36, 40))
    words = after.layout.title.text
    assert words.count("<br>") == 3
    assert words.replace("<br>", " ") == before.layout.title.text.replace("<br>", " ")
    more = after.layout.height - before.layout.height
    assert more == after.layout.margin.t - before.layout.margin.t == 32


def test_a_heading_that_fits_stays_as_it_is():
    assert frame.folded(figure(), (60, 100)).to_plotly_json() == figure().to_plotly_json()


def test_a_figure_as_wide_as_the_page_folds_its_heading_later():
    half, whole = _figures.fitted(figure()), _figures.fitted(figure(), "whole")
    assert half.layout.title.text.count("<br>") == 2
    assert whole.layout.title.text == figure().layout.title.text


def test_a_telephones_legend_lies_below_the_plot():
    before, after = figure(), _figures.beneath(figure())
    assert after.layout.margin.r < before.layout.margin.r
    below = after.layout.margin.b - before.layout.margin.b
    assert after.layout.height - before.layout.height == below
    top = after.layout.legend.y * after.layout.height
    assert 3 * 19 < top < after.layout.margin.b, "three lines below the axis"
    assert after.layout.xaxis.title.text.count("<br>") == 2


def test_a_telephone_leaves_out_every_second_number_below_the_axis():
    numbers = [f"{each:.2g}" for each in (0.0001, 0.0007, 0.005, 0.03, 0.2, 1.5, 9.8)]
    some = _figures.beneath(figure().update_xaxes(tickvals=list(range(7)), ticktext=numbers))
    assert some.layout.xaxis.ticktext == tuple(numbers[::2])
    names = _figures.beneath(figure().update_xaxes(tickvals=list(range(7)), ticktext=["a"] * 7))
    assert len(names.layout.xaxis.ticktext) == 7, "classes are all named"


@pytest.mark.parametrize("showlegend", [True, False])
def test_a_figure_without_a_legend_only_folds_its_axis(showlegend):
    given = figure().update_layout(showlegend=showlegend)
    height = given.layout.height
    assert (_figures.beneath(given).layout.height > height + 40) == showlegend


def test_class_names_stand_whole_along_the_matrix(ranked):
    names = ("small propeller plane", "cat", "dog")
    named = replace(ranked, class_names=names)
    made = matrix._figure(named, confusions.matrix(named))
    assert made.layout.xaxis.ticktext == made.layout.yaxis.ticktext == names
    assert made.layout.xaxis.tickangle == -90
    assert made.layout.margin.t > 5.5 * len(names[0])


def test_costs_stand_one_above_the_other_where_there_is_no_room_beside():
    cost = {"seconds": 2.0, "cpu_seconds": 1.0, "peak_memory_bytes": 3e8, "images": 9000.0}
    runs = [
        Candidate(str(i), "ce", f"run {i}", "plain CE", newest=True, cost=cost) for i in range(3)
    ]
    beside, below = (costs.costs(runs, TONES["light"], columns=columns) for columns in (4, 1))
    assert len({axis.domain for axis in beside.select_yaxes()}) == 1
    domains = sorted(axis.domain for axis in below.select_yaxes())
    assert all(a[1] < b[0] for a, b in pairwise(domains))
    assert below.layout.height > 3 * 28 * 3 + beside.layout.height
    assert below.layout.yaxis4.ticktext == ("plain CE",) * 3


def test_a_bar_of_a_class_shows_as_many_wrong_as_the_words_beside_it():
    one = {"name": "cat", "count": 20, "wrong": 0.4, "said": 0, "exact": False}
    other = {"name": "dog", "count": 20, "wrong": 2.6, "said": 3, "exact": False}
    figure = _charts.class_balance([one, other])
    assert [list(each.x) for each in figure.data] == [[20, 17], [0, 3]]
    beside = [each.text for each in figure.layout.annotations]
    assert [each.split("</span>")[1] for each in beside] == [", about 0", ", about 3"]


def test_bars_of_classes_are_thicker_on_a_large_screen_until_many_fill_it():
    def heights(n):
        one = {"name": "cat", "count": 20, "wrong": 0.4, "said": 0, "exact": False}
        return [_charts.class_balance([one] * n, large=each).layout.height for each in (0, 1)]

    assert heights(10) == [29 * 10 + 50, 46 * 10 + 50]
    assert heights(40) == [29 * 40 + 50, 29 * 40 + 50]
    assert heights(20)[1] < 1000


def test_the_axes_of_a_retraining_wait_for_its_result():
    part = {"accuracy": 0.5, "low": 0.4, "high": 0.6, "correct": 5, "n": 10}
    empty = retraining.before_after(None, TONES["light"])
    drawn = retraining.before_after({"before": part, "after": part}, TONES["light"])
    assert not empty.data
    assert [each.text for each in empty.layout.annotations] == ["No result yet"]
    assert empty.layout.xaxis.ticktext == tuple(drawn.data[0].x)
    assert empty.layout.yaxis.range == drawn.layout.yaxis.range
