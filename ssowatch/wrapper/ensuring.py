"""`ssowatch ensure` in a child: one for all calls that wait for the same (an edge: owner of these children).

Rules of this file:
1. The child has no terminal, so it asks as the modes table says for a program, joins the sign-in under way, and is told
   at once where somebody has just said no.
2. It is tied to the leash, and ended when nobody waits for it any more. The sign-in that it joined goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from ssowatch.wish import Verdict
from ssowatch.wrapper.leash import Leash

_LARGEST = 64 << 10


class _Run:
    """One child."""

    def __init__(self, process: subprocess.Popen[bytes], until: float) -> None:
        self.process = process
        self.until = until
        self.waiting = 0
        self.answer: tuple[str | None, Verdict] | None = None


class Ensuring:
    """Starts and joins these children."""

    def __init__(self, leash: Leash) -> None:
        self._leash = leash
        self._changed = threading.Condition()
        self._running: dict[tuple[str, ...], _Run] = {}

    def ask(
        self, arguments: tuple[str, ...], until: float, tick: Callable[[], None], over: Callable[[], bool]
    ) -> tuple[str | None, Verdict] | None:
        """Run `ensure ARGUMENTS`, or join the one that runs; the sign-in's name and the verdict.

        None when `until` (monotonic) passes first, or `over` says so. `tick` is called about twice a second meanwhile.
        """
        with self._changed:
            run = self._running.get(arguments)
            if run is None or run.until < until - 1:
                try:
                    run = self._begin(arguments, until)
                except OSError as error:
                    return None, Verdict(os.EX_TEMPFAIL, f"cannot start ssowatch ensure: {error.strerror}")
            run.waiting += 1
        try:
            while run.answer is None and not over() and time.monotonic() < until:
                with self._changed:
                    if run.answer is None:
                        self._changed.wait(0.5)
                tick()
            return run.answer
        finally:
            with self._changed:
                run.waiting -= 1
                if not run.waiting and run.answer is None:
                    run.process.terminate()

    def _begin(self, arguments: tuple[str, ...], until: float) -> _Run:
        seconds = max(int(until - time.monotonic()) - 1, 1)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ssowatch", "ensure", "--json", f"--timeout={seconds}s", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        self._leash.tie(process.pid)
        run = self._running[arguments] = _Run(process, until)
        threading.Thread(target=self._wait, args=(arguments, run), daemon=True).start()
        return run

    def _wait(self, arguments: tuple[str, ...], run: _Run) -> None:
        said = b""
        with suppress(OSError, ValueError):
            if run.process.stdout:
                said = run.process.stdout.read(_LARGEST)
                run.process.stdout.close()
        run.process.wait()
        self._leash.untie(run.process.pid)
        with self._changed:
            run.answer = _read(said)
            if self._running.get(arguments) is run:
                del self._running[arguments]
            self._changed.notify_all()

    def close(self) -> None:
        """End them all."""
        with self._changed:
            for run in self._running.values():
                run.process.terminate()


def _read(said: bytes) -> tuple[str | None, Verdict]:
    with suppress(ValueError, KeyError, TypeError):
        answer = json.loads(said)
        name = answer["name"]
        return name if isinstance(name, str) else None, Verdict(int(answer["code"]), str(answer["message"]))
    return None, Verdict(os.EX_TEMPFAIL, "ssowatch ensure ended without an answer")
