"""Real engines for tests: a Slurm of one node, a Ray head on loopback; started and stopped here."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PATIENCE = 120.0

CONF = """
ClusterName=lnl
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={munge}
SlurmctldPort={ctl}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
MpiDefault=none
ReturnToService=2
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=2000 State=UNKNOWN
NodeName=elsewhere NodeAddr=127.0.0.2 CPUs=2 RealMemory=2000 State=DOWN
PartitionName=both Nodes=ALL MaxTime=INFINITE State=UP
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def free_ports(count):
    """Ports that nobody listens on at the moment."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    found = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return found


@contextmanager
def slurm():
    """A Slurm of this one machine: its configuration's path. A skip says why there is none."""
    pytest.importorskip("submitit", reason="submitit is not installed: extra [slurm]")
    for program in ("munged", "slurmctld", "slurmd", "sbatch"):
        if shutil.which(program) is None:
            pytest.skip(f"Slurm is not installed ({program}; Debian: slurm-wlm, munge)")
    if os.getuid() != 0:
        pytest.skip("slurmd needs root")
    folder = Path(tempfile.mkdtemp(prefix="lnl-slurm-"))
    folder.chmod(0o755)  # munged looks whether others could have swapped its socket
    pids = []
    try:
        munge = _munge(folder)
        pids.append(folder / "munge" / "munged.pid")
        for name in ("state", "spool"):
            (folder / name).mkdir()
        control, node = free_ports(2)
        conf = folder / "slurm.conf"
        conf.write_text(
            CONF.format(
                host=socket.gethostname().split(".")[0],
                user=pwd.getpwuid(os.getuid()).pw_name,
                munge=munge,
                folder=folder,
                ctl=control,
                node=node,
            )
        )
        os.environ["SLURM_CONF"] = str(conf)
        for program in ("slurmctld", "slurmd"):
            pids.append(folder / f"{program}.pid")
            _start([program, "-f", conf], folder)
        end = time.monotonic() + 30
        while "idle" not in _said(["sinfo", "-h", "-p", "main", "-o", "%t"]):
            if time.monotonic() > end:
                log = (folder / "slurmctld.log").read_text()[-500:]
                pytest.skip(f"Slurm does not start here: {log}")
            time.sleep(0.2)
        yield conf
    finally:
        _said(["scancel", "--user", pwd.getpwuid(os.getuid()).pw_name])
        os.environ.pop("SLURM_CONF", None)
        for path in reversed(pids):
            _end(path)
        shutil.rmtree(folder, ignore_errors=True)


def _munge(folder):
    """Start a munged of our own, with a key of its own; return its socket."""
    place = folder / "munge"
    place.mkdir(mode=0o755)
    key = place / "key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    account = {}
    try:
        found = pwd.getpwnam("munge")
    except KeyError:
        pass
    else:
        account = {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
        for path in (place, key):
            os.chown(path, found.pw_uid, found.pw_gid)
    options = ["--key-file", "key", "--pid-file", "munged.pid", "--log-file", "log"]
    options += ["--seed-file", "seed", "--socket", "socket"]
    paths = [str(place / word) if not word.startswith("-") else word for word in options]
    _start(["munged", *paths], folder, **account)
    return place / "socket"


def _start(command, folder, **account):
    with (folder / "started.log").open("ab") as log:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **account
        )
    if done.returncode != 0:
        pytest.skip(f"{command[0]} does not start here: {(folder / 'started.log').read_text()}")


def _said(command):
    return subprocess.run(command, capture_output=True, text=True).stdout


def _end(pid_file):
    """End a daemon that wrote its process id, and wait until it is gone."""
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.05)


@contextmanager
def ray():
    """A Ray head on loopback: the address of its job API. A skip says why there is none."""
    pytest.importorskip("ray", reason="ray is not installed: extra [ray]")
    program = Path(sys.executable).with_name("ray")
    port, dashboard, client, agent, agent_grpc, metrics = free_ports(6)
    folder = Path(tempfile.mkdtemp(prefix="lnl-ray-"))
    quiet = os.environ | {"RAY_DISABLE_IMPORT_WARNING": "1", "RAY_USAGE_STATS_ENABLED": "0"}
    with (folder / "started.log").open("ab") as log:
        head = subprocess.Popen(
            [
                program, "start", "--head", "--block", f"--port={port}",
                "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}",
                f"--ray-client-server-port={client}", f"--dashboard-agent-listen-port={agent}",
                f"--dashboard-agent-grpc-port={agent_grpc}", f"--metrics-export-port={metrics}",
                "--num-cpus=2", "--object-store-memory=100000000", f"--temp-dir={folder}",
                "--disable-usage-stats",
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=quiet, start_new_session=True,
        )  # fmt: skip
    address = f"http://127.0.0.1:{dashboard}"
    try:
        end = time.monotonic() + PATIENCE
        while not _answers(f"{address}/api/jobs/"):
            if head.poll() is not None or time.monotonic() > end:
                told = (folder / "started.log").read_text()[-500:]
                pytest.skip(f"Ray does not start here: {told}")
            time.sleep(0.5)
        os.environ["RAY_ADDRESS"] = address
        yield address
    finally:
        os.environ.pop("RAY_ADDRESS", None)
        _end_family(head)
        shutil.rmtree(folder, ignore_errors=True)


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False


def _end_family(head):
    """End a process and all that it started."""
    import psutil

    family = [psutil.Process(head.pid)] if head.poll() is None else []
    family += family[0].children(recursive=True) if family else []
    head.terminate()
    _, left = psutil.wait_procs(family, timeout=20)
    for each in left:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    head.wait()
