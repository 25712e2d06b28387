"""The form on Runs that takes the probabilities of a model of one's own."""

import io

import numpy as np

from lnl_core.jobs import queue
from lnl_core.store import datasets


def as_file(probs):
    stream = io.BytesIO()
    np.save(stream, probs)
    return ("mine.npy", stream.getvalue(), "application/octet-stream")


def test_probabilities_become_a_run_and_a_slip_is_said(desk, workspace, tiny, texts):
    app = desk("runs", dataset="tiny")
    assert not app.exception
    app.file_uploader(key=f"own_file_{tiny.id}").set_value(as_file(np.ones((60, 2)) / 2)).run()
    app.button(key="own_go").click().run()
    assert "60 images and 3 classes" in texts(app)
    assert queue.jobs(tiny) == []
    truth = np.asarray(datasets.load(tiny).true_labels)
    app.file_uploader(key=f"own_file_{tiny.id}").set_value(as_file(np.eye(3)[truth])).run()
    app.button(key="own_go").click().run()
    assert not app.exception
    assert "is in the ranking, and expects another class on 3 images" in texts(app)
    (job,) = queue.jobs(tiny)
    assert job.method == "own"
    history = desk("runs", dataset="tiny").dataframe[-1].value
    assert list(history["method"]) == ["own"]
