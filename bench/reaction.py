"""How soon a token file that another program replaced shows in the published state.

A new token is written as botocore does (`*.tmp` beside it, fsync, then a rename); the time runs from the rename's return
until `status.json` is another file, looked for every 0.2 ms. Directory events are coalesced into one tick per 50 ms, so
the writes come 60 to 80 ms after the last reaction, at no fixed phase.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import subject

import homes  # isort: skip - found through subject
from ssowatch import paths  # isort: skip


def write_as_botocore(path: Path, content: dict[str, Any]) -> None:
    """As `botocore.utils.JSONFileCache` does."""
    fd, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(fd, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(fd)
    Path(temporary).replace(path)


def reactions(count: int, name: str = "corp") -> list[float]:
    """Milliseconds, each."""
    target = Path(paths.status_file())
    took = []
    for number in range(count):
        time.sleep(random.uniform(0.06, 0.08))
        content = homes.token(timedelta(minutes=50, seconds=number % 500), accessToken=f"access-canary-{number}")
        before = target.stat().st_ino, target.stat().st_mtime_ns
        write_as_botocore(homes.token_path(name), content)
        seconds = subject.wait_for(lambda: (target.stat().st_ino, target.stat().st_mtime_ns) != before, 0.0002)  # noqa: B023
        took.append(1000 * seconds)
    return took


def main() -> None:
    """Measure and print."""
    with subject.subject(__doc__ or "") as it, subject.home() as home:
        homes.aws_config(home)
        homes.write_token(homes.token())
        with subject.watcher(it):
            took = reactions(10 if it.quick else 1000)
    p99 = subject.percentile(took, 99)
    subject.table(
        ["token files replaced", "p50 ms", "p99 ms", "max ms", "aim for p99"],
        [
            [
                str(len(took)),
                f"{statistics.median(took):.1f}",
                f"{p99:.1f}",
                f"{max(took):.1f}",
                subject.aim(p99, 20, " ms"),
            ]
        ],
    )


if __name__ == "__main__":
    main()
