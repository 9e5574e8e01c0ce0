"""Fuzzes the parsers, guided by coverage (atheris), one after the other, and prints what came of it as a Markdown table.

Rules of this file:
1. Each parser has a process of its own, so a crash, a hang (10 s) or 1 GB of memory is that parser's finding.
2. It starts from `tests/corpus/PARSER` and the seeds. With `--keep` the new corpus, made small, takes the old one's place.
3. A finding's input is kept in `findings/`, whose files the table names; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuzzing.parsers import Parser

HERE = Path(__file__).parent
TOP = HERE.parents[1]
CORPUS = HERE.parent / "corpus"
_MOST, _LARGEST = 30, 1024  # files of a corpus that are kept, and bytes of each
_LIMITS = ("-timeout=10", "-rss_limit_mb=1024", "-max_len=4096", "-print_final_stats=1")
_SECONDS_TO_END = 600.0
_SAID = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERED = re.compile(r"cov: (\d+)")


def child(name: str, options: list[str]) -> None:
    """Be libFuzzer for one parser; never returns."""
    import atheris  # in the dependency group `fuzz` alone

    with atheris.instrument_imports(include=["ssowatch", "tomllib", "configparser"]):
        from fuzzing.parsers import PARSERS
    (parser,) = (one for one in PARSERS if one.name == name)
    atheris.Setup(["fuzz", *options], parser.feed)
    atheris.Fuzz()


def fuzzed(name: str, seconds: float, findings: Path, *, keep: bool) -> tuple[int, int, float, float, list[Path]]:
    """Executions, covered edges, seconds, seconds of CPU, findings."""
    from fuzzing.parsers import PARSERS

    (parser,) = (one for one in PARSERS if one.name == name)
    with tempfile.TemporaryDirectory(prefix="ssowatch-fuzz-") as folder:
        place = Path(folder)
        grown, seeds, words = (place / one for one in ("grown", "seeds", "words"))
        for each in (grown, seeds):
            each.mkdir()
        for number, seed in enumerate(parser.seeds()):
            (seeds / f"seed{number}").write_bytes(seed)
        kept = CORPUS / name
        kept.mkdir(parents=True, exist_ok=True)
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in parser.words))
        given = [f"-dict={words}"] if parser.words else []
        before, began, used = set(findings.glob(f"{name}-*")), time.monotonic(), _children_cpu()
        said, left = "", seconds
        executed = 0
        while left > 0:  # libFuzzer ends at its first finding; what it found must not hide the rest
            options = [
                f"-max_total_time={max(1, round(left))}",
                f"-artifact_prefix={findings}/{name}-",
                *_LIMITS,
                *given,
            ]
            code, said = _run(name, [*options, str(grown), str(kept), str(seeds)], left)
            executed += int(found[1]) if (found := _SAID.search(said)) else 0
            left = seconds - (time.monotonic() - began)
            if code:
                print(said[-3000:], file=sys.stderr)
                break
        took, used = time.monotonic() - began, _children_cpu() - used
        covered = max(map(int, _COVERED.findall(said)), default=0)
        if keep:
            _keep(parser, [*kept.iterdir(), *seeds.iterdir(), *grown.iterdir()], kept)
        return executed, covered, took, used, sorted(set(findings.glob(f"{name}-*")) - before)


def _children_cpu() -> float:
    """Seconds of those that have ended."""
    spent = os.times()
    return spent.children_user + spent.children_system


def _keep(parser: Parser, inputs: Iterable[Path], kept: Path) -> None:
    """The smallest inputs, each of which runs a step of ours that no smaller one does."""
    inputs = list(inputs)
    found = {one.name: one.read_bytes() for one in kept.glob("found-*")}  # what was once a finding stays
    contents = sorted({one.read_bytes() for one in inputs}, key=lambda one: (len(one), one))
    known: set[tuple[str, int, int]] = set()
    chosen = []
    for content in contents:
        if len(content) <= _LARGEST and len(chosen) < _MOST and (steps := _steps(parser, content) - known):
            known |= steps
            chosen.append(content)
    shutil.rmtree(kept)
    kept.mkdir()
    for name, content in found.items():
        (kept / name).write_bytes(content)
    for content in set(chosen) - set(found.values()):
        (kept / hashlib.sha256(content).hexdigest()[:12]).write_bytes(content)


def _steps(parser: Parser, content: bytes) -> set[tuple[str, int, int]]:
    """From which line to which it went, in our own files."""
    steps: set[tuple[str, int, int]] = set()

    def enter(frame: FrameType, *_: object) -> Callable[..., Any] | None:
        if "/ssowatch/" not in (path := frame.f_code.co_filename) or "/site-packages/" in path:
            return None
        last = 0

        def step(frame: FrameType, *_: object) -> Callable[..., Any]:
            nonlocal last
            steps.add((path, last, frame.f_lineno))
            last = frame.f_lineno
            return step

        return step

    sys.settrace(enter)
    try:
        parser.feed(content)
    except BaseException:  # noqa: BLE001 - a finding: it is named elsewhere
        return set()
    finally:
        sys.settrace(None)
    return steps


def _run(name: str, options: list[str], seconds: float) -> tuple[int, str]:
    environ = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    done = subprocess.run(
        [sys.executable, "-m", "fuzzing", "--child", name, *options],
        cwd=TOP,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds + _SECONDS_TO_END,
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace")


def _escaped(word: str) -> str:
    return "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f"\\x{b:02x}" for b in word.encode())


def main() -> int:
    """The command."""
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3:])
    from fuzzing.parsers import PARSERS

    names = [one.name for one in PARSERS]
    options = argparse.ArgumentParser(prog="scripts/fuzz", description="Fuzz the parsers, guided by coverage.")
    options.add_argument("parsers", nargs="*", metavar="PARSER", help=f"of: {', '.join(names)} (default: all)")
    options.add_argument("--minutes", type=float, default=2.0, metavar="M", help="for each of them (default 2)")
    options.add_argument("--keep", action="store_true", help="keep the new corpus, made small, in tests/corpus")
    chosen = options.parse_args()
    if unknown := set(chosen.parsers) - set(names):
        options.error(f"no such parser: {', '.join(sorted(unknown))}")
    findings = TOP / "findings"
    findings.mkdir(exist_ok=True)
    print("| parser | executions | minutes (of CPU) | edges covered | findings |", flush=True)
    print("|---|---:|---:|---:|---|", flush=True)
    bad = False
    for name in chosen.parsers or names:
        executed, covered, took, used, found = fuzzed(name, chosen.minutes * 60, findings, keep=chosen.keep)
        bad |= bool(found)
        said = ", ".join(one.name for one in found) or "none"
        print(f"| {name} | {executed:,} | {took / 60:.1f} ({used / 60:.1f}) | {covered} | {said} |", flush=True)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
