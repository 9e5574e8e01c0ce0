"""What the wrapper of an MCP server costs: time per message, and memory.

The same server answers through a pipe and through the wrapper, in turns: message by message in both, so that a busy machine
hits both. Memory is of the kernel's smaps_rollup, of the wrapper and of the fork that waits for its end. Linux only.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import subject

import homes  # isort: skip - found through subject

ECHO = (
    "import sys, json\n"
    "for line in sys.stdin.buffer:\n"
    "    body = json.loads(line)\n"
    "    text = 'x' * body['params']['arguments']['size']\n"
    "    answer = {'jsonrpc': '2.0', 'id': body['id'], 'result': {'content': [{'type': 'text', 'text': text}]}}\n"
    "    sys.stdout.buffer.write(json.dumps(answer).encode() + b'\\n')\n"
    "    sys.stdout.buffer.flush()\n"
)
SIZES = (("a short call", 100), ("a page of 20 kB", 20_000), ("1 MB", 1_000_000), ("10 MB", 10_000_000))


@contextmanager
def server(*command: str) -> Iterator[Callable[[int, int], float]]:
    """A server; the function makes a call with an answer of this size and tells how long it took, in ms."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        if process.stdin is None or process.stdout is None:
            raise AssertionError
        out, back = process.stdin, open(process.stdout.fileno(), "rb", closefd=False)  # noqa: SIM115

        def call(number: int, size: int) -> float:
            params = {"name": "echo", "arguments": {"size": size}}
            line = json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}).encode()
            began = time.perf_counter()
            out.write(line + b"\n")
            back.readline()
            return 1000 * (time.perf_counter() - began)

        call.pid = process.pid  # type: ignore[attr-defined]
        yield call
        out.close()


def memory(pid: int) -> dict[str, int]:
    """The lines of smaps_rollup, in KiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {words[0].rstrip(":"): int(words[1]) for words in map(str.split, lines)}


def family(pid: int) -> list[int]:
    """The wrapper and its fork, without the server: what runs the same program."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = Path(f"/proc/{pid}/cmdline").read_bytes()
    return [pid, *(int(one) for one in children if Path(f"/proc/{one}/cmdline").read_bytes() == own)]


def main() -> None:
    """Measure and print."""
    if sys.platform != "linux":
        print("bench/wrap.py needs Linux's /proc.")
        return
    with subject.subject(__doc__ or "") as it, subject.home():
        homes.aws_config(Path.home())
        homes.write_token(homes.token())
        program = (it.python, "-u", "-c", ECHO)
        wrapper = (it.ssowatch, "mcp", "wrap", "--profile", "dev", "--", *program)
        rounds = 50 if it.quick else 2000
        rows = []
        with server(*program) as direct, server(*wrapper) as wrapped:
            for number in range(20):
                direct(number, 10), wrapped(number, 10)
            for what, size in SIZES:
                few = rounds if size < 1_000_000 else max(rounds * 100_000 // size, 1)
                pairs = [(direct(number, size), wrapped(number, size)) for number in range(few)]
                rows.append([what, *figures(pairs), aim(pairs) if size < 1_000_000 else ""])
            wrapped(0, 10)  # once this is answered, the last big message is freed
            held = [memory(pid) for pid in family(wrapped.pid)]  # type: ignore[attr-defined]
        subject.table(
            [
                "an answer of",
                "direct p50 - p99 ms",
                "wrapped p50 - p99 ms",
                "added p50 - p99 ms",
                "x, of p50",
                "aim for p99",
            ],
            rows,
        )
        print()
        pss = sum(one["Pss"] for one in held) / 1024
        subject.table(
            ["memory", "figure", "aim"],
            [
                ["Pss of the wrapper and its fork", f"{pss:.1f} MiB", subject.aim(pss, 16, " MiB")],
                ["Pss_Anon of both", f"{sum(one['Pss_Anon'] for one in held) / 1024:.1f} MiB", ""],
                ["Rss of the wrapper", f"{held[0]['Rss'] / 1024:.1f} MiB", ""],
            ],
        )


def figures(pairs: list[tuple[float, float]]) -> list[str]:
    """Of one size: both sides, what the wrapper adds, and the ratio."""
    sides = [[pair[0] for pair in pairs], [pair[1] for pair in pairs]]
    cells = [f"{statistics.median(side):.2f} - {subject.percentile(side, 99):.2f}" for side in sides]
    added = [after - before for before, after in pairs]
    ratio = statistics.median(sides[1]) / statistics.median(sides[0])
    return [*cells, f"{statistics.median(added):.2f} - {subject.percentile(added, 99):.2f}", f"{ratio:.2f}"]


def aim(pairs: list[tuple[float, float]]) -> str:
    """Whether the 99th percentile of what is added, both ways, is met."""
    return subject.aim(subject.percentile([after - before for before, after in pairs], 99), 1, " ms")


if __name__ == "__main__":
    main()
