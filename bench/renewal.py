"""What a renewal child costs: `ssowatch refresh --due --json`, as the watcher starts it, against `import boto3` alone.

The calls go to a simulated Identity Center on loopback in this program, whose own few milliseconds per call are in the
time (not in the CPU); the way to AWS and TLS are not. One child renews all that is due together, four at a time.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import subject
from stopwatch import Cost, Stopwatch, median_cpu, milliseconds

import homes  # isort: skip - found through subject
from service import SOON  # isort: skip
from simulator.server import Simulator  # isort: skip


def main() -> None:
    """Measure and print."""
    rows = []
    with subject.subject(__doc__ or "") as it, Stopwatch(it.python) as watch:
        for count, rounds in ((1, 2), (3, 1)) if it.quick else ((1, 20), (10, 10), (100, 5)):
            with subject.home() as home, Simulator() as center:
                bases, costs, renewed = _measured(it, watch, home, center, count, rounds)
            ratios = [cost.seconds / base.seconds for cost, base in zip(costs, bases, strict=True)]
            if not rows:
                rows.append(_row('python -c "import boto3"', bases, [1.0]))
            label = f"{count} due together" if count > 1 else "1 due"
            complaint = "" if renewed == count * rounds else f" ({renewed} of {count * rounds} were renewed)"
            rows.append(_row(f"a child, {label}{complaint}", costs, ratios))
    subject.table(["what", "ms (min - median - max)", "CPU ms", "peak MiB", "x of import boto3"], rows)


def _measured(
    it: subject.Subject, watch: Stopwatch, home: Path, center: Simulator, count: int, rounds: int
) -> tuple[list[Cost], list[Cost], int]:
    """The costs of the import and of the child, in turns, and how many tokens were renewed."""
    names = [f"corp{number}" for number in range(count)]
    homes.aws_config(home, "".join(_session(name) for name in names))
    bare = [it.python, "-c", "import boto3"]
    child = [it.python, "-P", "-m", "ssowatch", "refresh", "--due", "--json", "--", *names]
    environ = {"HOME": str(home), **center.environ}
    bases, costs, renewed = [], [], 0
    for number in range(rounds + 1):
        for name in names:
            homes.write_token({**center.sign_in(user=name), "expiresAt": homes.token(SOON)["expiresAt"]}, name)
        before = [json.loads(homes.token_path(name).read_bytes())["accessToken"] for name in names]
        base, cost = watch.run(bare, environ), watch.run(child, environ)
        after = [json.loads(homes.token_path(name).read_bytes())["accessToken"] for name in names]
        if number:  # the first round warms
            bases.append(base)
            costs.append(cost)
            renewed += sum(old != new for old, new in zip(before, after, strict=True))
    return bases, costs, renewed


def _session(name: str) -> str:
    return homes.CONFIG.replace("corp", name).replace("profile ", f"profile {name}-")


def _row(what: str, costs: list[Cost], ratios: list[float]) -> list[str]:
    peak = statistics.median(cost.peak_kib for cost in costs) / 1024
    cells = [subject.spread(milliseconds(costs), 0), f"{median_cpu(costs):.0f}", f"{peak:.1f}"]
    return [what, *cells, subject.spread(ratios) if len(ratios) > 1 else "1"]


if __name__ == "__main__":
    main()
