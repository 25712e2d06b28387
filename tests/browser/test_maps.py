"""Activation maps on the review page: after the answer, beside it, and over the image."""

import numpy as np
import pytest

from lnl_core.jobs import queue
from lnl_core.store import arrays, datasets, db
from lnl_core.types import JobState, Signals

pytestmark = pytest.mark.browser

CLASSES = ["ant", "bee", "cow", "doe"]


def look(ws, info, *, good=True):
    """Leave what a run of HNML leaves: maps that see the given class left, the other right.

    A network that is no `good` calls every image the same.
    """
    job = queue.submit(info, "hnml")
    folder = queue.run_dir(ws, job)
    given = np.asarray(datasets.load(info).given_labels)
    left, right = np.zeros((2, info.n, 4, 4), np.float16)
    left[:, :, :2], right[:, :, 2:] = 0.25, 1
    extras = {
        "suggested_label": (given + 1) % info.class_count,
        "cam_given": left,
        "cam_suggested": right,
        "energy_given": left.mean((1, 2)),
        "energy_suggested": right.mean((1, 2)),
    }
    probs = np.full((info.n, info.class_count), 0.1)
    probs[np.arange(info.n), given if good else 0] = 0.7
    arrays.save_signals(folder, Signals("hnml", np.full(info.n, 0.5), probs, extras=extras))
    arrays.write_array(folder / "labels.npy", given)
    (folder / "map_head.safetensors").write_bytes(b"")
    claimed = queue.claim(ws)
    assert claimed.id == job.id
    queue.finish(ws, job.id, JobState.DONE)


BOXES = """async (stage, before) => {
  const image = stage.querySelector('img');
  const frame = () => new Promise(requestAnimationFrame);
  const same = () => Math.abs(image.getBoundingClientRect().y - before) < 1;
  for (let i = 0; i < 600 && same(); i += 1) await frame();
  await frame();
  return [stage.querySelector('canvas.over'), image].map((node) => {
    const { x, y, width, height } = node.getBoundingClientRect();
    return [x, y, width, height];
  });
}"""
"""Where map and picture lie once the picture stands higher or lower than before."""


@pytest.mark.usefixtures("alone")
def test_maps_come_after_the_answer_and_lie_over_the_image(common_server, page, make_set):
    info = make_set(common_server, "maps", CLASSES)
    look(db.open_workspace(common_server.home), info)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{common_server.url}/review?dataset=maps")
    page.wait_for_selector(".stage > img")
    page.wait_for_timeout(300)
    assert not any("/lnl/maps/" in url for url in asked)  # nothing before the answer
    page.keyboard.press("c")
    page.locator(".toast", has_text="after your answer").wait_for()
    page.keyboard.press("w")
    page.wait_for_selector(".mapset canvas")
    assert page.locator(".mapset canvas").count() == 3
    words = page.locator(".maps").text_content()
    other = page.locator(".mapset .suggested").first.inner_text()
    assert f"Of what both maps show 80\u202f% is for {other}, which is no probability" in words
    assert "they look at different places" in words
    told = page.locator(".mapbtn:has(.suggested)").first.get_attribute("title")
    assert f"{other} suggested, 80\u202f% of what both maps show, no probability" in told
    assert page.locator(".stage > canvas.over").count() == 0
    assert page.locator(".pair").count() == 0  # no room for both classes: they take turns
    page.get_by_role("button", name="of both classes").click()
    page.locator(".nears b", has_text="Nearest of both classes").wait_for()
    assert page.locator(".nears .cap.given").count() == 5
    assert page.locator(".nears .cap.suggested").count() == 5
    page.keyboard.press("c")
    over = page.locator(".stage > canvas.over").bounding_box()
    image = page.locator(".stage > img").bounding_box()
    assert over == pytest.approx(image, abs=1)
    page.set_viewport_size({"width": 1280, "height": 640})
    moved, higher = page.locator(".stage").evaluate(BOXES, image["y"])
    assert higher[1] < image["y"] - 10
    assert moved == pytest.approx(higher, abs=1)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator(".stage").evaluate(BOXES, higher[1])
    warm = page.locator(".stage > canvas.over").evaluate(
        """canvas => {
          const at = (x) => canvas.getContext("2d").getImageData(x * canvas.width, 40, 1, 1).data;
          return [at(0.1), at(0.9)].map((pixel) => pixel[0] - pixel[2]);
        }"""
    )
    assert warm[1] > warm[0] + 20  # the suggested class is seen at the right
    page.keyboard.press("k")
    page.wait_for_selector(".mapset canvas", state="detached")
    assert page.locator(".stage > canvas.over").count() == 0


def test_maps_of_a_network_that_is_no_good_are_hidden_until_asked_for(
    common_server, page, make_set
):
    info = make_set(common_server, "maps-of-no-good", CLASSES)
    look(db.open_workspace(common_server.home), info, good=False)
    page.goto(f"{common_server.url}/review?dataset=maps-of-no-good")
    page.wait_for_selector(".stage[data-counts]")
    page.keyboard.press("w")
    hidden = page.locator(".maps", has_text="Hidden: Its network names the class of")
    hidden.wait_for()
    assert "By HNML" in hidden.text_content()
    page.keyboard.press("c")
    page.locator(".toast", has_text="No map: Its network names").wait_for()
    hidden.get_by_role("button", name="Show them anyway").click()
    page.wait_for_selector(".mapset canvas")
    assert "By HNML" in page.locator(".maps").text_content()
