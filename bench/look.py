"""Times looks at the world in the current HOME; run by scale.py with the subject's interpreter, which lacks our tests.

Prints milliseconds as one JSON object: `first` (nothing known, every memory file is made), `cold` (a new process's look:
configs, tokens and memories are parsed), `unchanged` and `changed` (one token file is another).
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path

from ssowatch import paths
from ssowatch.clock import utc_now
from ssowatch.world import World


def main(name: str, rounds: int) -> None:
    """Look, and look again after a change of the token file of the sign-in called `name`."""
    found = {"first": [_timed(World(recording=True))]}
    found["cold"] = [_timed(World(recording=True)) for _ in range(rounds)]
    world = World(recording=True)
    _timed(world)
    found["unchanged"] = [_timed(world) for _ in range(rounds)]
    found["changed"] = []
    path = Path(paths.token_file(name))
    for number in range(rounds):
        content = {**json.loads(path.read_bytes()), "accessToken": f"access-canary-{number}"}
        fresh = path.with_suffix(".tmp")
        fresh.write_text(json.dumps(content))
        fresh.replace(path)
        found["changed"].append(_timed(world))
    print(json.dumps({what: statistics.median(took) for what, took in found.items()}))


def _timed(world: World) -> float:
    began = time.perf_counter()
    world.look(utc_now())
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    os.umask(0o077)
    main(sys.argv[1], int(sys.argv[2]))
