"""Names on the report's map: never on each other, beside the dots, tied where they moved."""

from itertools import combinations

import numpy as np

from lnl_core.figures import embedding, map_names


def boxes(placed):
    width, height = map_names.ROOM
    return [map_names.box_of(p.name, (p.at[0] * width, p.at[1] * height)) for p in placed]


def test_twenty_names_of_one_place_stand_apart_and_inside():
    names = [(f"class number {i}", 0.5, 0.5) for i in range(20)]
    placed = map_names.place(names, np.full((400, 2), 32768, np.uint16))
    found = boxes(placed)
    assert len(found) == 20
    assert not any(map_names.meet(a, b) for a, b in combinations(found, 2))
    assert min(min(box[:2]) for box in found) >= 0
    assert max(box[2] for box in found) <= map_names.ROOM[0]


def test_a_name_leaves_its_dots_and_stays_where_there_are_none():
    points = (65535 * np.random.default_rng(0).normal([0.5, 0.5], 0.02, (400, 2))).astype(np.uint16)
    away, here = map_names.place([("cat", 0.5, 0.5), ("dog", 0.9, 0.1)], points)
    left, top, right, bottom = boxes([away])[0]
    pixels = points / 65535 * map_names.ROOM
    inside = (pixels > [left, top]) & (pixels < [right, bottom])
    assert not inside.all(axis=1).any()
    assert away.moved
    assert here.at == here.middle == (0.9, 0.1)
    assert not here.moved


def test_few_dots_are_drawn_larger():
    assert embedding.growth(400) > 1.9
    assert embedding.growth(5000) == 1
    assert 0.7 <= embedding.growth(50_000) < 1
