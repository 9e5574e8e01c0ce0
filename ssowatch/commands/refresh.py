"""`ssowatch refresh`: renew tokens now. A person types it; the watcher runs it as its renewal child."""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

from ssowatch import client, files, named, protocol
from ssowatch.plain import plain
from ssowatch.renewal import Outcome, Result, renew
from ssowatch.world import World

_AT_ONCE = 4
_DEADLINE_SECONDS = 100.0
"""Below the watcher's own deadline for this child. A server that answers a byte a second passes every time-out."""
_EXIT = {
    Result.RENEWED: 0,
    Result.NOT_DUE: 0,
    Result.ADOPTED: 0,
    Result.REFUSED: 1,
    Result.UNREACHABLE: os.EX_TEMPFAIL,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="a sign-in, else a profile")
    parser.add_argument("--json", action="store_true", help="one line of JSON per name")
    parser.add_argument("--due", action="store_true", help=argparse.SUPPRESS)  # the watcher's: only what is due


def run(options: argparse.Namespace) -> int:
    """Renew; the exit code is the worst outcome's: 0, 1 refused, 2 unknown name, 75 unreachable, 78 misconfigured."""
    # The watcher's child has its environment already, and goes on with the last good config.
    world = World(recording=False) if options.due else named.world()
    chosen = {one.name: one for one in (named.sign_in(world, name) for name in options.names)}
    worst = 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running: list[Future[Outcome]] = [
            pool.submit(renew, one, world.policy(one), only_due=options.due) for one in chosen.values()
        ]
        try:
            for done in as_completed(running, _DEADLINE_SECONDS):
                outcome = done.result()
                _say(outcome, as_json=options.json)
                worst = max(worst, os.EX_CONFIG if chosen[outcome.name].problem else _EXIT[outcome.result])
        except TimeoutError:
            late = [name for name, one in zip(chosen, running, strict=True) if not one.done()]
            for name in late:
                reason = f"no answer within {_DEADLINE_SECONDS:.0f} s"
                _say(Outcome(name, Result.UNREACHABLE, None, reason), as_json=options.json)
            files.drop_drafts()
            os._exit(os.EX_TEMPFAIL)
        except KeyboardInterrupt:
            files.drop_drafts()
            os._exit(130)  # a call that hangs must not hold the terminal; locks and files are crash-safe
    if not options.due:
        client.ask("look")
    return worst


def _say(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        said = {
            "name": outcome.name,
            "outcome": outcome.result,
            "token_expires_at": protocol.moment(outcome.token_expires_at),
            "message": plain(outcome.message, 400),
        }
        print(json.dumps(said), flush=True)
        return
    until = f" (token good until {protocol.moment(outcome.token_expires_at)})" if outcome.token_expires_at else ""
    print(f"{plain(outcome.name)}: {outcome.result}: {plain(outcome.message, 400)}{until}", flush=True)
