"""ssowatch beside what people use, in one run: agents that lie idle, and commands that tell how a sign-in is.

The agents lie idle at the same time, each in a HOME of its own or none. `Pss_Anon` and `Rss` are of the kernel's smaps_rollup,
a wake-up is a voluntary context switch, both over all processes and threads of an agent. Each command is run right after
`python -c pass` of the same environment; its ratio is taken pair by pair. What cannot be had here is named below the table.
Linux only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import subject
from service import Use, memory, mib, use
from stopwatch import Cost, Stopwatch, milliseconds

import homes  # isort: skip - found through subject

HEAD = [
    "program",
    "x of python -c pass",
    "ms, median",
    "Pss_Anon",
    "Rss",
    "processes",
    "wake-ups a minute",
    "CPU a minute",
]
POLLER = """
const file = process.argv[1];
setInterval(() => JSON.parse(require("fs").readFileSync(file)), 60000);
"""
"""The least that a refresher in Node is: it reads the token file once a minute, and makes no call."""
PORTAL = ("-u", "https://d-1234567890.awsapps.com/start", "--sso-region", "us-east-1")
"""It finds none in an sso-session."""
NOWHERE = (
    "validkeys/aws-auto-refresh (Node): on no registry; `node, a file a minute` above is the least that it can be",
    "Granted, aws-vault, aws-sso-cli (Go): on no registry that Python, Debian or npm asks",
)


def main() -> None:
    """Measure and print."""
    if sys.platform != "linux":
        print("bench/peers.py needs Linux's /proc.")
        return
    missing = list(NOWHERE)
    with subject.subject(__doc__ or "") as it, tempfile.TemporaryDirectory() as place, subject.home() as home:
        (home / ".config").mkdir()
        homes.aws_config(home)
        token = homes.write_token(homes.token())
        os.environ["AWS_EC2_METADATA_DISABLED"] = "true"  # `aws configure list` would ask the network
        with subject.watcher(it) as running, _agents(token, missing) as agents:
            rows = _idle({"ssowatch run": running.pid, **agents}, 2.0 if it.quick else 120.0)
            commands = {
                f"ssowatch status {words}": [it.ssowatch, "status", *words.split()]
                for words in ("--json", "--check dev")
            }
            commands |= _commands(Path(place), missing, quick=it.quick)
            with Stopwatch(it.python) as watch:
                _, costs, ratios = watch.turns([it.python, "-c", "pass"], commands, 2 if it.quick else 15)
    rows += [_command(name, runs, ratios[name]) for name, runs in costs.items()]
    subject.table(HEAD, rows)
    print("\nNot here:", *missing, sep="\n- ")


@contextmanager
def _agents(token: Path, missing: list[str]) -> Iterator[dict[str, int]]:
    """The agents that are here, running: their process ids."""
    wanted = {
        "ssh-agent": ["ssh-agent", "-D", "-a", f"{os.environ['HOME']}/ssh-agent"],
        "oidc-agent": ["oidc-agent", "--console", "--no-webserver"],
        "node, a file a minute": ["node", "-e", POLLER, str(token)],
    }
    with ExitStack() as stack:
        started = {}
        for name, command in wanted.items():
            if shutil.which(command[0]) is None:
                missing.append(f"{command[0]}: not installed")
                continue
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
            started[name] = process.pid
        yield started


def _idle(agents: Mapping[str, int], seconds: float) -> list[list[str]]:
    time.sleep(min(seconds, 10.0))
    families = {name: _family(pid) for name, pid in agents.items()}
    before = {name: _used(family) for name, family in families.items()}
    time.sleep(seconds)
    rows = []
    for name, family in families.items():
        spent, held = _used(family).since(before[name]), sum((memory(pid) for pid in family), Counter())
        minutes = seconds / 60
        figures = [mib(held["Pss_Anon"]), mib(held["Rss"]), str(len(family)), f"{spent.wakeups / minutes:.1f}"]
        rows.append([name, "", "", *figures, f"{spent.cpu_ms / minutes:.1f} ms"])
    return rows


def _family(pid: int) -> list[int]:
    """It and its children, which may be ours in name only."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def _used(family: Sequence[int]) -> Use:
    each = [use(pid) for pid in family]
    return Use(sum(one.wakeups for one in each), sum(one.cpu_ms for one in each))


def _commands(place: Path, missing: list[str], *, quick: bool) -> dict[str, list[str]]:
    """Those of other programs: from the package index into environments of their own, and the system's AWS CLI."""
    found = {}
    for package, name, command in (
        ("awscli", "aws configure list (v1, pip)", ["aws", "configure", "list"]),
        (
            "aws-sso-util",
            "aws-sso-util check, config only",
            ["aws-sso-util", "check", *PORTAL, "--skip-token-check", "-q"],
        ),
    ):
        venv = place / package
        with suppress(subprocess.SubprocessError, OSError):
            if not quick:
                subject.install(venv, package)
        if (program := venv / "bin" / command[0]).exists():
            found[name] = [str(program), *command[1:]]
        else:
            missing.append(f"{package}: {'skipped by --quick' if quick else 'could not be installed'}")
    for folder in os.get_exec_path():
        if program := shutil.which("aws", path=folder):
            said = subprocess.run([program, "--version"], check=False, stdout=subprocess.PIPE, text=True).stdout
            if said.startswith("aws-cli/2."):
                found[f"aws configure list (v{said.split()[0].rpartition('/')[2]})"] = [program, "configure", "list"]
                return found
    missing.append("AWS CLI v2: none on PATH (Debian's package awscli is one)")
    return found


def _command(name: str, runs: Sequence[Cost], ratios: Sequence[float]) -> list[str]:
    failed = f" (exit {runs[-1].code})" if runs[-1].code else ""
    middle = sorted(milliseconds(runs))[len(runs) // 2]
    return [name + failed, subject.spread(ratios), f"{middle:.0f}", "", "", "", "", ""]


if __name__ == "__main__":
    main()
