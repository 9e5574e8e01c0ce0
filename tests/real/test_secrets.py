"""No secret is anywhere but in the token file, through a whole life of it.

Rules of this file:
1. The secrets are real canaries: every access token, refresh token and client secret that was ever in the file. A piece
   of one is looked for, so that a shortened one is found as well.
2. Everything that the programs leave is looked at: what they print, every file of the HOME, the socket's answers, and
   the command line and environment of the watcher and of each child, sampled all the time from /proc.
3. The story holds all that could make a program careless: a refusal, an outage, answers that make no sense (with
   tokens in them), half a token file, a SIGTERM in the middle of a call.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta

import pytest
from real.canaries import Canaries, ProcessTable
from real.machine import until, write_in_place
from simulator.faults import Fault, Kind

from ssowatch import client

pytestmark = pytest.mark.real

SECOND = timedelta(seconds=1)
MINUTE = 60 * SECOND
NONSENSE = {
    "a captive portal's page": Fault(Kind.GARBAGE, "CreateToken"),
    "half of an answer": Fault(Kind.HALF, "CreateToken"),
    "no life in the answer": Fault(Kind.MISSING_KEYS, "CreateToken", keys=("expiresIn",)),
    "no access token in the answer": Fault(Kind.MISSING_KEYS, "CreateToken", keys=("accessToken",)),
    "an empty answer": Fault(Kind.MISSING_KEYS, "CreateToken"),
    "an error 500": Fault(Kind.INTERNAL_ERROR, "CreateToken"),
}


@pytest.mark.parametrize("machine", [pytest.param({"refresh_tokens": "same"}, id="same refresh token")], indirect=True)
def test_no_secret_leaves_the_token_file(machine, monkeypatch):
    monkeypatch.setenv("HOME", str(machine.home))  # for the socket's client
    machine.sign_in()
    canaries, shown = Canaries(machine.token_file), []

    def look_around():
        canaries.learn()
        for options in ((), ("--json",), ("--check",)):
            done = machine.ssowatch("status", *options)
            shown.append((f"status {options}", done.stdout + done.stderr))
        shown.extend((f"the socket's {do}", json.dumps(client.ask(do))) for do in ("status", "look"))

    def refresh(code):
        machine.clock.jump(2 * MINUTE)  # past the rest after a success
        for options in ((), ("--json",)):
            done = machine.ssowatch("refresh", "corp", *options)
            shown.append((f"refresh {options}", done.stdout + done.stderr))
            assert done.returncode == code, done
            assert "Traceback" not in done.stderr

    look_around()
    watcher = machine.start_watcher()
    processes = ProcessTable(watcher.pid)
    processes.start()

    for _ in range(2):
        machine.jump_to_renewal()
        machine.until_fresh()
        look_around()
    refresh(0)
    look_around()

    machine.simulator.add_fault(Fault(Kind.DOWN))
    refresh(os.EX_TEMPFAIL)
    machine.simulator.clear_faults()
    for name, fault in NONSENSE.items():
        attempts = watcher.said().count("corp: unreachable")
        machine.simulator.add_fault(fault)
        refresh(os.EX_TEMPFAIL)
        machine.clock.jump(30 * MINUTE)
        until(lambda: watcher.said().count("corp: unreachable") > attempts, f"the watcher met {name}")  # noqa: B023
        look_around()
        machine.simulator.clear_faults()
        machine.clock.jump(50 * SECOND)  # in the middle of a call, a minute would look like a wrong clock
        machine.until_fresh()
    look_around()

    whole = machine.token_file.read_text()
    write_in_place(machine.token_file, whole[: len(whole) * 2 // 3])
    machine.until(lambda corp: corp["state"] == "login_required", "half a token file is noticed")
    refresh(1)
    write_in_place(machine.token_file, whole)
    machine.until_fresh()
    look_around()

    machine.simulator.end_session()
    machine.jump_to_renewal()
    machine.until(lambda corp: corp["problem"] and corp["problem"]["code"] == "refused", "the refusal is noticed")
    refresh(1)
    look_around()

    machine.sign_in()
    machine.until_fresh()
    machine.simulator.add_fault(Fault(Kind.HANG, "CreateToken"))
    calls = len(machine.renewals())
    machine.jump_to_renewal()
    until(lambda: len(machine.renewals()) > calls, "a call hangs")
    assert watcher.terminate() == 0
    processes.stop()
    machine.simulator.clear_faults()
    look_around()

    shown += machine.outputs()
    shown += [
        (str(path), path.read_bytes())
        for path in machine.home.rglob("*")
        if path.is_file() and path.parent != machine.token_file.parent
    ]
    shown += processes.samples
    assert len(canaries.pieces) > 3 * 8, "the secrets are known"
    assert len(processes.children) >= 9, "the children were seen"
    assert any(b"refresh" in said for name, said in processes.samples if name == "cmdline")
    assert any(str(machine.home).encode() in said for name, said in processes.samples if name == "environ")
    assert any("status.json" in name for name, _ in shown)
    assert any("memory" in name for name, _ in shown)
    assert {name: found for name, said in shown if (found := canaries.found_in(said))} == {}
    assert canaries.found_in(machine.token_file.read_text()), "what is looked for can be found"
    others = {path.name for path in machine.token_file.parent.iterdir()} - {machine.token_file.name}
    assert others <= {f".{machine.token_file.name}.ssowatch.tmp"}
