"""Ask a person by one notice, and wait for the answer (an edge: owner of its notifier child).

For who has no watcher: the same child that the watcher runs, for one notice. When the asker goes away, whatever the
reason, the child's stdin ends and the notice goes with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from ssowatch.plain import plain

_ENDING_SECONDS = 5.0


class NotShownError(Exception):
    """No channel showed the notice; the message says why."""


def ask(wish: Mapping[str, Any], environment: Mapping[str, str]) -> str | None:
    """Show the notice `wish` (an entry of the child's `show`); the label of the pressed button, or None: it was closed.

    `environment` is the child's whole environment. Waits as long as the notice stays; an exception raised here by a
    signal (KeyboardInterrupt) withdraws it.

    Raises:
        NotShownError: no channel showed it.

    """
    arguments = [sys.executable, "-P", "-m", "ssowatch", "notify", "--child"]
    try:
        child = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(environment)
        )
    except OSError as error:
        raise NotShownError(f"cannot start a child: {error.strerror}") from None
    try:
        return _answer(child, wish)
    finally:
        _end(child)


def _answer(child: subprocess.Popen[bytes], wish: Mapping[str, Any]) -> str | None:
    assert child.stdin  # noqa: S101 - for mypy
    assert child.stdout  # noqa: S101 - for mypy
    try:
        child.stdin.write(json.dumps({"show": [dict(wish)]}).encode() + b"\n")
        child.stdin.flush()
    except BrokenPipeError:
        raise NotShownError("the notifier ended at once") from None
    for line in child.stdout:
        said = json.loads(line)
        if "not_shown" in said:
            raise NotShownError(plain(str(said["why"]), 600))
        if "pressed" in said:
            return str(said["button"])
        if "closed" in said:
            return None
    raise NotShownError("the notifier ended without an answer")


def _end(child: subprocess.Popen[bytes]) -> None:
    """By the end of its stdin, so that it withdraws what it shows."""
    assert child.stdin  # noqa: S101 - for mypy
    assert child.stdout  # noqa: S101 - for mypy
    try:
        child.stdin.close()
    except BrokenPipeError:
        pass
    finally:
        try:
            child.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()
