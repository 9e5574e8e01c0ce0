"""What the idle service costs: memory, wake-ups, CPU, threads and descriptors; and what foreign reads cost it.

Memory is of the kernel's smaps_rollup: `Pss_Anon` is what is the service's alone, `Pss` counts its share of the
libraries on disk, too. A wake-up is a voluntary context switch of any of its threads. Linux only.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import subject

import homes  # isort: skip - found through subject
from simulator.server import Simulator  # isort: skip

READS = 1000
SOON = timedelta(minutes=3)
"""So little is left of a token that is due."""


@dataclass(frozen=True)
class Use:
    """Of a process, since it began."""

    wakeups: int
    cpu_ms: float

    def since(self, before: Use) -> Use:
        """What was used from `before` to this."""
        return Use(self.wakeups - before.wakeups, self.cpu_ms - before.cpu_ms)


def use(pid: int) -> Use:
    """Of all threads together."""
    wakeups, nanoseconds = 0, 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        words = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())
        wakeups += int(words["voluntary_ctxt_switches"])
        nanoseconds += int((task / "schedstat").read_text().split()[0])
    return Use(wakeups, nanoseconds / 1e6)


def memory(pid: int) -> Counter[str]:
    """The lines of smaps_rollup, in KiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return Counter({words[0].rstrip(":"): int(words[1]) for words in map(str.split, lines)})


def mib(kib: int) -> str:
    """As a row shows it."""
    return f"{kib / 1024:.1f} MiB"


STEPS = {
    "logging": "a line per change, for the journal",
    "dataclasses": "the frozen values; brings inspect, ast, tokenize",
    "asyncio": "the one loop, without TLS",
    "msgspec": "typed config and memory files; brings decimal, uuid",
    "watchdog.observers": "file events; brings ctypes, pathlib, shutil",
    "concurrent.futures.process": "of APScheduler: pools that nothing here uses; brings multiprocessing, pickle",
    "importlib.metadata": "of APScheduler: its plug-ins, of which there are none; brings zipfile, email, csv",
    "tzlocal": "of APScheduler, although UTC is given everywhere; brings zoneinfo",
    "apscheduler.schedulers.asyncio": "the one date job",
    "ssowatch.watcher": "all of ours",
    "yaml": "only where there is a config file",
}
"""What the service loads, in this order: each with all that it brings and the ones before did not, and why."""
STEPWISE = """
import sys
for name in ("ssl", "typing_extensions", "bz2", "lzma", "_hashlib"):
    sys.modules[name] = None  # as in the service
def anonymous():
    with open("/proc/self/smaps_rollup") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon"))
print(anonymous())
for name in sys.argv[1:]:
    __import__(name)
    print(anonymous())
"""


def main() -> None:
    """Measure and print."""
    if sys.platform != "linux":
        print("bench/service.py needs Linux's /proc.")
        return
    rows: list[list[str]] = []
    with subject.subject(__doc__ or "") as it:
        with subject.home() as home:
            (home / ".config").mkdir()  # as every home has it
            homes.aws_config(home)
            path = homes.write_token(homes.token())
            with subject.watcher(it) as running:
                rows += idle(running.pid, 2.0 if it.quick else 300.0, 0.2 if it.quick else 10.0)
                rows += reads(running.pid, path)
        with subject.home() as home, Simulator() as center:
            homes.aws_config(home)
            homes.own_config(home, "mode: notify\n")
            with subject.watcher(it, **center.environ) as running:
                rows += renewals(running, center, 1 if it.quick else 10)
        resident = imports(it)
    subject.table(["what", "figure", "aim"], rows)
    print()
    subject.table(["Pss_Anon of", "MiB", "why it is there"], resident)


def imports(it: subject.Subject) -> list[list[str]]:
    """What is resident before anything was done, and why."""
    said = subprocess.run([it.python, "-c", STEPWISE, *STEPS], check=True, stdout=subprocess.PIPE).stdout
    python, *steps = map(int, said.split())
    rows = [["Python itself", mib(python), "with site and the byte code's own modules"]]
    for (name, why), before, after in zip(STEPS.items(), [python, *steps], steps, strict=False):
        rows.append([f"import {name}", mib(after - before), why])
    return [*rows, ["together", mib(steps[-1]), "the idle service's own data come on top"]]


def idle(pid: int, seconds: float, settle: float) -> list[list[str]]:
    """Nothing happens: its own heartbeat, every 10 minutes, lies outside."""
    time.sleep(settle)
    before = use(pid)
    time.sleep(seconds)
    used, held = use(pid).since(before), memory(pid)
    minutes = seconds / 60
    return [
        ["Pss_Anon", mib(held["Pss_Anon"]), subject.aim(held["Pss_Anon"] / 1024, 18, " MiB")],
        ["Pss", mib(held["Pss"]), ""],
        ["Rss", mib(held["Rss"]), ""],
        ["threads", str(len(list(Path(f"/proc/{pid}/task").iterdir()))), ""],
        ["file descriptors", str(len(list(Path(f"/proc/{pid}/fd").iterdir()))), ""],
        [
            f"wake-ups per idle minute, over {minutes:.1f} min",
            f"{used.wakeups / minutes:.1f}",
            subject.aim(used.wakeups / minutes, 0),
        ],
        ["CPU per idle minute", f"{used.cpu_ms / minutes:.1f} ms", ""],
    ]


def reads(pid: int, path: Path) -> list[list[str]]:
    """Another program reads a token file, as every SDK does."""
    before = use(pid)
    for _ in range(READS):
        path.read_bytes()
    time.sleep(0.5)
    used = use(pid).since(before)
    return [
        [f"wake-ups by {READS} foreign reads", str(used.wakeups), subject.aim(used.wakeups, 0)],
        [f"CPU for {READS} foreign reads", f"{used.cpu_ms:.1f} ms", ""],
    ]


def renewals(running: subprocess.Popen[bytes], center: Simulator, count: int) -> list[list[str]]:
    """With a config file of ours, and after renewals: tokens that are due are put there, one after the other."""
    held = memory(running.pid)
    for number in range(1, count + 1):
        homes.write_token({**center.sign_in(), "expiresAt": homes.token(SOON)["expiresAt"]})
        subject.wait_for(lambda want=number: len(center.calls("CreateToken")) >= want, 0.02)  # type: ignore[misc]
        subject.wait_for(lambda: subject.published()["sign_ins"][0]["state"] == "valid", 0.02)
        time.sleep(0.5)
    after = memory(running.pid)
    return [
        ["Pss_Anon, with a config file of ours", mib(held["Pss_Anon"]), ""],
        [
            f"Pss_Anon, after {count} renewal{'s' * (count > 1)}",
            mib(after["Pss_Anon"]),
            subject.aim(after["Pss_Anon"] / 1024, 20, " MiB"),
        ],
    ]


if __name__ == "__main__":
    main()
