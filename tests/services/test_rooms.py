"""The rooms of `lnl_core.services` stand alone: who needs one does not load the others."""

import subprocess
import sys


def test_one_room_does_not_load_the_others():
    code = "import sys, lnl_core.services.runs.status; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not [name for name in loaded if name.startswith("lnl_core.services.review")]
