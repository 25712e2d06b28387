"""What `lnl_core.services` hands out: every function of the rooms, loaded when asked for."""

import pkgutil
import subprocess
import sys

import pytest

from lnl_core import services
from lnl_core.services import _public


def test_every_name_is_there_and_none_is_also_a_room():
    assert all(getattr(services, name) is getattr(_public, name) for name in _public.__all__)
    # a room of the same name would hide the function as soon as somebody has imported the room
    rooms = {module.name for module in pkgutil.iter_modules(services.__path__)}
    assert rooms & set(_public.__all__) == set()


def test_what_is_not_offered_is_no_attribute():
    with pytest.raises(AttributeError, match="parrot"):
        _ = services.parrot


def test_one_room_does_not_load_the_others():
    code = "import sys, lnl_core.services.runs.status; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not [name for name in loaded if name.startswith("lnl_core.services.review")]
