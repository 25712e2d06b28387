"""What tests of the Review page share: a scored set, what the component gets, a press."""

import json

import numpy as np

from lnl_core.store import arrays, datasets
from lnl_core.types import Signals
from tests import rankings

KEY = "review-{view}-{id}-reviewer A"


def score(info):
    """Put a ranking in force without training."""
    data = datasets.load(info)
    given, n, k = np.asarray(data.given_labels), len(data), len(data.class_names)
    probs = np.full((n, k), 0.1)
    probs[np.arange(n), np.asarray(data.true_labels)] += 1 - 0.1 * k
    signals = Signals("sr", 1 - probs[np.arange(n), given], probs)
    arrays.save_signals(info.directory / "runs" / "1", signals)
    arrays.save_ranking(info.directory / "ranking", rankings.rank([signals], given, k), {"sr": 1})
    return info


def key(info, view="single"):
    return KEY.format(view=view, id=info.id)


def sent(app):
    """What the component on the page got."""
    (found,) = [
        json.loads(element.proto.json)[0]
        for element in app.get("bidi_component")
        if element.proto.component_name in ("lnl_review_queue", "lnl_page_grid")
    ]
    return found


def press(row, action="keep", cid="c1", **more):
    return {"cid": cid, "row": row, "action": action, "ms": 900, "mode": "commit", **more}
