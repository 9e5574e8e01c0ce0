"""How long `ssowatch status` takes beside a running watcher, against an empty Python and against AWS CLI v1.

Every command is run right after `python -c pass` of the same virtual environment; `x of pass` is the ratio of these
pairs. AWS CLI v1 is a pip install; v2 comes frozen and is not measured.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import subject
from stopwatch import Stopwatch, milliseconds

import homes  # isort: skip - found through subject

AIMS = {"status --json": 1.8, "status --check dev": 2.0}
OLD = "status --json (pip 23)"


def main() -> None:
    """Measure and print."""
    with subject.subject(__doc__ or "") as it, _awscli(it) as aws, subject.home() as home:
        homes.aws_config(home)
        homes.write_token(homes.token())
        os.environ["AWS_EC2_METADATA_DISABLED"] = "true"  # `aws configure list` would ask the network
        commands = {
            f"status {words}".strip(): [it.ssowatch, "status", *words.split()]
            for words in ("--json", "--check dev", "")
        }
        commands[OLD] = [str(_old_script(it, home)), "status", "--json"]
        if aws:
            commands |= {f"aws {words}": [aws, *words.split()] for words in ("--version", "configure list")}
        with subject.watcher(it), Stopwatch(it.python) as watch:
            empty, costs, ratios = watch.turns([it.python, "-c", "pass"], commands, 3 if it.quick else 60)
    rows = [["python -c pass", subject.spread(milliseconds(empty), 1), "1", "", ""]]
    for name, runs in costs.items():
        to_json = [run.seconds / own.seconds for run, own in zip(runs, costs["status --json"], strict=True)]
        met = subject.aim(statistics.median(ratios[name]), AIMS[name]) if name in AIMS else ""
        times = subject.spread(milliseconds(runs), 1) + (" (failed)" if any(run.code for run in runs) else "")
        rows.append([name, times, subject.spread(ratios[name]), f"{statistics.median(to_json):.1f}", met])
    subject.table(["command", "ms (min - median - max)", "x of pass", "x of status --json", "aim"], rows)
    if not aws:
        print("\nAWS CLI: skipped" + (" by --quick." if it.quick else ": it could not be installed."))


def _old_script(it: subject.Subject, home: Path) -> Path:
    """The console script as pip 23 writes it, which `python -m venv` of Python 3.11 brings: with `import re`."""
    script = home / "old-ssowatch"
    script.write_text(Path(it.ssowatch).read_text().replace("import sys", "import re\nimport sys", 1))
    script.chmod(0o700)
    return script


@contextmanager
def _awscli(it: subject.Subject) -> Iterator[str | None]:
    """AWS CLI v1, or None."""
    with tempfile.TemporaryDirectory() as place:
        aws = None if it.quick else f"{place}/bin/aws"
        try:
            if aws:
                subject.install(Path(place), "awscli")
        except (subprocess.SubprocessError, OSError):
            aws = None
        yield aws


if __name__ == "__main__":
    main()
