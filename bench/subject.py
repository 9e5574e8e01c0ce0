"""What is measured, and how figures are shown: common to the programs beside this file.

Rules of this file:
1. The subject is what a user installs: the wheel of this source tree in a fresh virtual environment, its byte code
   written, its commands started through the console script that a current pip makes. `--quick` takes the environment
   that runs the program instead.
2. What is compared is run in turns (A B A B), so that a busy machine hits both; a ratio is taken pair by pair and shown
   as least - median - most.
3. Every figure comes from a HOME of its own. Nothing is asserted: a figure over its aim is shown as missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[1]
sys.path[:0] = [str(TOP / "tests"), str(TOP)]  # the homes and the simulator of the tests

from ssowatch import paths  # noqa: E402 - after the line above

_PATIENCE = 60.0


@dataclass(frozen=True)
class Subject:
    """Where the commands lie."""

    bin: Path
    quick: bool

    @property
    def python(self) -> str:
        """The interpreter of the subject's environment."""
        return str(self.bin / "python")

    @property
    def ssowatch(self) -> str:
        """Its console script."""
        return str(self.bin / "ssowatch")


@contextmanager
def subject(about: str) -> Iterator[Subject]:
    """The subject that the command line asks for."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds, in the environment of this interpreter")
    parser.add_argument("--venv", type=Path, metavar="DIR", help="make the subject here, or take the one made before")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    print(about.splitlines()[0])
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}", end="")
    print("; --quick: too few rounds to quote\n" if options.quick else "\n", flush=True)
    if options.quick:
        yield Subject(Path(sys.executable).parent, quick=True)
        return
    with tempfile.TemporaryDirectory() as place:
        venv = options.venv or Path(place) / "venv"
        if not (venv / "bin" / "ssowatch").exists():
            install(venv, str(_wheel(Path(place))))
        yield Subject(venv.absolute() / "bin", quick=False)


def install(venv: Path, *packages: str) -> None:
    """Make a virtual environment with these packages, and their byte code.

    Raises:
        subprocess.CalledProcessError: a package cannot be had.

    """
    _quietly(sys.executable, "-m", "venv", venv)
    pip = (venv / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check")
    _quietly(*pip, "--upgrade", "pip")  # an old one writes `import re` into every console script: 6 ms
    _quietly(*pip, *packages)
    _quietly(venv / "bin" / "python", "-m", "compileall", "-q", venv / "lib")


def _wheel(place: Path) -> Path:
    _quietly(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", place, TOP)
    return next(place.glob("ssowatch-*.whl"))


def _quietly(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=900)


@contextmanager
def home() -> Iterator[Path]:
    """An empty HOME, for this process too; a short name, so that the socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="h", ignore_cleanup_errors=True) as place:
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(HOME=place, PATH=before.get("PATH", os.defpath), LC_ALL="C.UTF-8")
        try:
            yield Path(place)
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def watcher(it: Subject, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A watcher in the current HOME, once it has published."""
    process = subprocess.Popen(
        [it.ssowatch, "run"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environ},
    )
    try:
        wait_for(lambda: published()["watcher"]["pid"] == process.pid, 0.001)
        yield process
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def published() -> dict[str, Any]:
    """What the watcher published."""
    try:
        return dict(json.loads(Path(paths.status_file()).read_bytes()))
    except FileNotFoundError:
        return {"watcher": {"pid": None}}


def wait_for(so: Callable[[], object], every: float) -> float:
    """Look `every` so many seconds until it is so; returns how long that took.

    Raises:
        TimeoutError: after a minute.

    """
    began = time.perf_counter()
    while not so():
        if time.perf_counter() - began > _PATIENCE:
            raise TimeoutError
        time.sleep(every)
    return time.perf_counter() - began


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of the values do not exceed."""
    return sorted(values)[max(math.ceil(len(values) * percent / 100) - 1, 0)]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Least - median - most."""
    return " - ".join(f"{one:.{digits}f}" for one in (min(values), statistics.median(values), max(values)))


def aim(value: float, most: float, unit: str = "") -> str:
    """The aim, and whether it is met."""
    return f"<= {most:g}{unit}: {'met' if value <= most else 'MISSED'}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns, as Markdown reads them too."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))} |"

    print(line(head))
    print(f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    for row in rows:
        print(line(row))
    sys.stdout.flush()
