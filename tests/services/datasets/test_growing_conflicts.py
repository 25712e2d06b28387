"""Images that come a second time with an addition, the same or as copies, with another label."""

import numpy as np
import pytest
from PIL import Image

from lnl_core.services import in_force
from lnl_core.services.datasets import catalog, growing
from lnl_core.services.runs import status
from lnl_core.store import datasets
from tests.data.test_copies import photos
from tests.services.datasets.test_growing import again, file_of, pictures, run


@pytest.mark.parametrize("new", [0, 1])
def test_such_an_image_stands_first_in_the_queue(workspace, tmp_path, new):
    """Also where the addition brings nothing else; told twice it is noted once."""
    catalog.import_dataset(
        workspace, file_of(tmp_path, "thirty", pictures(30), np.arange(30) % 3), "thirty"
    )
    thirty = datasets.dataset(workspace, "thirty")
    run(thirty, np.tile([0.1, 0.8, 0.1], (30, 1)).astype(np.float32))  # row 4 is right, they say
    assert in_force.scored(thirty).ranking.order[0] != 4
    images = np.concatenate([pictures(30)[[3, 4]], pictures(new, seed=8)])
    source = file_of(tmp_path, "more", images, np.array([0, 2, 1][: 2 + new]))
    for _ in range(2):
        growing.add_images(again(thirty), source)
        assert datasets.listed(again(thirty)).tolist() == [[4, 1], [4, 2]]
    ranked = in_force.scored(again(thirty))
    assert ranked.ranking.order[0] == 4
    assert ranked.ranking.p_wrong[4] >= 0.5
    assert ranked.ranking.suggested_labels[4] == 2


def test_copies_that_came_with_an_addition_are_said(workspace, tmp_path):
    for at, pixels in enumerate(photos(4)):
        (place := tmp_path / "photos" / "ab"[at % 2]).mkdir(exist_ok=True, parents=True)
        Image.fromarray(pixels).save(place / f"{at}.png")
    (other := tmp_path / "more" / "b").mkdir(parents=True)
    Image.fromarray(photos(4)[0]).save(other / "0.jpg", quality=85)
    (new := tmp_path / "new" / "b").mkdir(parents=True)
    Image.fromarray(photos(1, seed=9)[0]).save(new / "9.png")
    catalog.import_dataset(workspace, tmp_path / "photos", "photos")
    info = datasets.dataset(workspace, "photos")
    assert not [note for note in growing.add_images(info, new.parent).notes if "once" in note]
    told = growing.add_images(again(info), other.parent)
    assert told.added == 1
    assert any("1 picture comes more than once" in note for note in told.notes)
    assert any("with different labels" in note for note in told.notes)
    (one,) = status.status([again(info)])["datasets"]
    assert one["copies"]["different_labels"] == 1
    assert "of" not in one["copies"]
