"""How soon the watcher acts when the machine wakes up, its clock is set, or its network comes up. Linux, as root.

A resume is made as in the tests: the wall clock of the watcher alone is moved by two hours, unheard, and then the
machine's own is stepped by a nanosecond, of which the kernel tells. The time runs from that step until the new state is
published. The network is loopback, in a network namespace of its own, taken down and up again; that time runs until
the new token is in its file, and holds a child that imports boto3. The heartbeat is 10 minutes and has no part in either.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import subject

import homes  # isort: skip - found through subject
import stepped_clock  # isort: skip
from real.moved_clock import Clock, compiled  # isort: skip
from ssowatch import paths  # isort: skip

ASLEEP = timedelta(hours=2)
STORY = subject.TOP / "tests" / "real" / "network_story.py"


def main() -> None:
    """Measure and print."""
    rows = []
    with subject.subject(__doc__ or "") as it:
        for what, measure, rounds, most in (
            ("resume or set clock, to published", resumes, 3 if it.quick else 50, 100),
            ("network up, to renewed", networks, 2 if it.quick else 20, 1000),
        ):
            try:
                took = measure(it, rounds)
            except (OSError, subprocess.SubprocessError) as error:
                rows.append([what, f"could not be measured here: {error}", "", "", ""])
            else:
                rows.append(_row(what, took, most))
    subject.table(["what", "times", "p50 ms", "max ms", "aim for each"], rows)


def resumes(it: subject.Subject, rounds: int) -> list[float]:
    """Milliseconds, each."""
    stepped_clock.step()  # whether it may be done at all
    with tempfile.TemporaryDirectory() as place, subject.home() as home:
        clock = Clock(compiled(Path(place)), Path(place) / "offset")
        homes.aws_config(home)
        homes.own_config(home, "heartbeat: 10m\nnotify: []\n")
        homes.write_token(homes.token())
        nowhere = {"AWS_ENDPOINT_URL_SSO_OIDC": "http://127.0.0.1:9"}  # what is due is refused a connection
        took = []
        with subject.watcher(it, **clock.environ, **nowhere):
            for number in range(rounds):
                time.sleep(1.5)  # the child of the last round is over
                published = _published()
                clock.jump(-ASLEEP if number % 2 else ASLEEP)
                stepped_clock.step()
                took.append(1000 * subject.wait_for(lambda: _published() != published, 0.0002))  # noqa: B023
        clock.close()
    return took


def networks(it: subject.Subject, rounds: int) -> list[float]:
    """Milliseconds, each."""
    with subject.home():
        done = subprocess.run(
            ["unshare", "--net", it.python, STORY, str(rounds)], check=True, stdout=subprocess.PIPE, timeout=60 * rounds
        )
    return list(json.loads(done.stdout))


def _published() -> tuple[int, int]:
    stat = Path(paths.status_file()).stat()
    return stat.st_ino, stat.st_mtime_ns


def _row(what: str, took: Sequence[float], most: float) -> list[str]:
    middle = statistics.median(took)
    return [what, str(len(took)), f"{middle:.1f}", f"{max(took):.1f}", subject.aim(max(took), most, " ms")]


if __name__ == "__main__":
    main()
