"""One process, or several over gloo, that run the same script and say what each has at the end."""

import os
import socket
import subprocess
import sys

import numpy as np

START = """
import os, sys
import numpy as np, torch
from torch.nn import functional as F
from lnl_core.learning import process_group, hardware

torch.set_num_threads(1)
# At the kink of a ReLU two runs that differ in their last bit part for good: here it is smooth.
torch.nn.ReLU.forward = lambda self, x: F.silu(x)
torch.nn.ReLU6.forward = torch.nn.ReLU.forward
F.relu = F.silu
hardware.precision = lambda device: torch.float32  # bfloat16 would hide what the test looks for
out, *words = sys.argv[1:]
group = process_group.join("cpu") if int(os.environ["WORLD_SIZE"]) > 1 else process_group.current()
"""

END = """
np.savez(f"{out}-{group.rank}.npz", **found)
process_group.leave()
"""


def run(folder, script, size, *words):
    """Run a script in `size` processes; return what each of them has in `found` at its end.

    The script sees `group`, `words` and the names that `START` imports.
    """
    out = folder / f"{words[0]}-{size}"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    alike = {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START + script + END, str(out), *words],
            env=os.environ | alike | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(size)
    ]
    assert [process.wait() for process in processes] == [0] * size
    return [dict(np.load(f"{out}-{rank}.npz")) for rank in range(size)]
