"""What must be true after every fault.

Rules of this file:
1. A check says what is wrong, or nothing. It may wait with a generous deadline of real time; the only time that is held
   against the promise is that of the moved clock: one heartbeat and the longest back-off after the fault.
2. The checks run in the order of the tuple: first the machine comes to rest, then the traces are read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from real.canaries import ProcessTable, below
from real.machine import until

from faults.fault import Fault
from faults.scene import HEARTBEAT_AND_BACK_OFF, Scene

_MANY_CALLS, _MANY_LINES = 40, 150
HALF_A_LIFE = timedelta(minutes=31)
Check = Callable[[Scene, tuple[Fault, ...], ProcessTable], str | None]


def state_is_right(scene: Scene, faults: tuple[Fault, ...], _: ProcessTable) -> str | None:
    """Within the promised time it is valid, or says that only a person can help, who then does."""
    scene.pass_time(HEARTBEAT_AND_BACK_OFF)
    try:
        if any(fault.ends_sign_in for fault in faults):
            scene.pass_time(HALF_A_LIFE)  # nobody can know before the next renewal
            scene.until(
                lambda corp: (
                    corp and (corp["state"] == "login_required" or (corp["problem"] or {}).get("code") == "refused")
                ),
                "it says that a person is needed",
            )
            until(lambda: scene.renewal_child() is None, "the child that was refused has ended")
            scene.sign_in()
        scene.until_fresh()
    except AssertionError as error:
        return str(error)
    return None


def no_token_lost(scene: Scene, *_: object) -> str | None:
    """The sign-in renews once more, and an AWS program that was never restarted works on it."""
    before = scene.corp()["token_expires_at"]
    scene.jump_to_renewal()
    try:
        scene.until(
            lambda corp: corp and corp["token_expires_at"] != before and scene.is_fresh(corp), "it renews again"
        )
    except AssertionError as error:
        return str(error)
    assert scene.client
    said = scene.client.call("dev")
    return None if said.ok else f"the client does not work: {said}"


def no_torn_file(scene: Scene, faults: tuple[Fault, ...], _: ProcessTable) -> str | None:
    """No reader ever saw a broken token file (but one that the fault or an SDK broke), and no file of ours is broken."""
    scene.witness.stop()
    if scene.witness.torn and not any(fault.damages_token for fault in faults) and not scene.renewals_of_clients():
        return f"the token file was seen torn: {len(scene.witness.torn)} times"
    for path in (scene.home / ".local/state/ssowatch").rglob("*.json"):
        try:
            json.loads(path.read_bytes())
        except ValueError as error:
            return f"{path}: {error}"
    beside = sorted(path.name for path in scene.token_file.parent.iterdir() if path != scene.token_file)
    return f"left beside the token file: {beside}" if beside else None


def no_tab_unasked(scene: Scene, *_: object) -> str | None:
    """Nobody asked for any, but where the fault says so."""
    tabs = len(scene.tabs())
    return None if tabs <= scene.asked_tabs else f"{tabs} tabs, {scene.asked_tabs} asked for"


def no_false_alarm(scene: Scene, faults: tuple[Fault, ...], _: ProcessTable) -> str | None:
    """Nobody is told to sign in while the sign-in lives."""
    if any(fault.ends_sign_in or fault.damages_token for fault in faults):
        return None
    told = [notice["title"] for notice in scene.notices() if notice["event"] in {"login_required", "expiring"}]
    return f"told for nothing: {told}" if told else None


def no_storm(scene: Scene, *_: object) -> str | None:
    """Neither calls nor log lines come one after the other without a rest."""
    assert scene.watcher
    calls, lines = len(scene.renewals()), scene.watcher.said().count("\n")
    return None if calls <= _MANY_CALLS and lines <= _MANY_LINES else f"{calls} calls, {lines} log lines"


def no_fault_inside(scene: Scene, *_: object) -> str | None:
    """Nothing was met that the program did not expect."""
    for name, said in scene.outputs():
        for word in ("Traceback", "a tick failed", "failed inside"):
            if word in said:
                return f"{name} said {word!r}"
    return None


def ends_well(scene: Scene, *_: object) -> str | None:
    """SIGTERM ends it with 0, and no process of ours is left, not even one whose parent was killed."""
    assert scene.watcher
    code = scene.watcher.terminate()
    if code:
        return f"SIGTERM: exit code {code}"
    try:
        until(lambda: not list(filter(_is_ours, below(os.getpid()))), "every process of ours has ended")
    except AssertionError as error:
        return str(error)
    return None


def no_secret_out(scene: Scene, _: tuple[Fault, ...], processes: ProcessTable) -> str | None:
    """No piece of any token is in a log, a file of ours, a command line or an environment."""
    processes.stop()
    canaries = scene.witness.canaries
    places: list[tuple[str, bytes]] = [(name, said.encode()) for name, said in scene.outputs()]
    places += [(name, content) for name, content in processes.samples]
    for top in (scene.home, scene.folder):
        places += [(str(path), path.read_bytes()) for path in _files(top) if not _for_secrets(path, scene)]
    if not canaries.pieces:
        return "the secrets are not known, so nothing was looked for"
    found = {name: given for name, content in places if (given := canaries.found_in(content))}
    return f"secrets in {found}" if found else None


def _files(top: Path) -> list[Path]:
    return [path for path in top.rglob("*") if path.is_file() and not path.is_symlink()]


def _for_secrets(path: Path, scene: Scene) -> bool:
    """The token file, its copies that a fault made, and client registrations of ours."""
    return path.name == scene.token_file.name or "registrations" in path.parts


def _is_ours(pid: int) -> bool:
    try:
        return re.search(rb"(-m\0|/bin/)ssowatch\0", Path(f"/proc/{pid}/cmdline").read_bytes()) is not None
    except OSError:
        return False


CHECKS: tuple[Check, ...] = (
    state_is_right,
    no_token_lost,
    no_tab_unasked,
    no_false_alarm,
    no_storm,
    no_fault_inside,
    ends_well,
    no_torn_file,
    no_secret_out,
)
