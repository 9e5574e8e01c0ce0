"""`method: command`: the user's own program that signs in, `aws sso login` or a wrapper of the company's (an edge).

Rules of this file:
1. It is run as an argument list, never by a shell, in a process group of its own with our deadline: SIGTERM, then SIGKILL.
2. What it prints goes into a file without a name, so that it cannot stall. Of that its last line is shown when it
   fails, to the person who waits, and to no log: it may print a link or a code.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress

from ssowatch.plain import plain

_GRACE_SECONDS = 5.0
_TAIL = 2048


def run(argv: Sequence[str], environment: Mapping[str, str], home: str, seconds: float) -> tuple[int | None, str]:
    """Run it; its exit code and its last words. None: it gave no answer in time, or could not be started."""
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=home,
                start_new_session=True,
            )
        except OSError as error:
            return 127, f"{plain(argv[0])} cannot be started: {error.strerror}"
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None, f"{plain(argv[0])} was not done within {seconds:.0f} s"
        finally:
            _end(process)
        said.seek(max(0, said.seek(0, os.SEEK_END) - _TAIL))
        lines = said.read().decode(errors="replace").strip().splitlines()
        return code, plain(lines[-1]) if lines else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Make sure that it is gone, with whatever it started and did not detach."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
