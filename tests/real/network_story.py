"""A network that comes up, told as milliseconds. Run in a network namespace of its own; prints one JSON list.

Loopback is the network here: it is taken down, a renewal fails, it comes up, and the time runs until the new token is in
its file. Before that the watcher is seen to listen, so that its back-off has nothing to do with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

import homes  # noqa: E402 - after the line above
from simulator.server import Simulator  # noqa: E402

SOON = timedelta(minutes=3)


def link(state: str) -> None:
    """Up or down."""
    subprocess.run(["ip", "link", "set", "lo", state], check=True)


def listens(pid: int) -> bool:
    """Whether this process has a route socket (proc_net(5): protocol 0, the port is the pid)."""
    rows = (line.split() for line in Path("/proc/net/netlink").read_text().splitlines()[1:])
    return any(row[1] == "0" and row[2] == str(pid) for row in rows)


def _problem(now: dict[str, Any]) -> str | None:
    found = now["sign_ins"][0]["problem"]
    return found and found["code"]


def main(rounds: int) -> None:
    """Tell it so many times."""
    home = Path(os.environ["HOME"])
    (home / ".config").mkdir()
    homes.aws_config(home)
    link("up")
    took = []
    with Simulator() as center, homes.watcher(home, **center.environ) as running:
        for _ in range(rounds):
            fresh = center.sign_in()
            link("down")
            path = homes.write_token({**fresh, "expiresAt": homes.token(SOON)["expiresAt"]})
            old = path.read_bytes()
            running.until(lambda now: _problem(now) == "unreachable", "the renewal failed")
            homes.wait_for(lambda: listens(running.process.pid), "it listens")
            began = time.perf_counter()
            link("up")
            homes.wait_for(lambda: path.read_bytes() != old, "it is renewed", look_every=0.001)  # noqa: B023
            took.append(1000 * (time.perf_counter() - began))
            running.until(lambda now: _problem(now) is None, "it is well")
        log = running.log.read_text()
        assert log.count("the network came up") >= rounds, log
    print(json.dumps(took))


if __name__ == "__main__":
    main(int(sys.argv[1]))
