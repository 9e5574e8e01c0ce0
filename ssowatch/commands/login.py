"""`ssowatch login`: a person signs in. The watcher runs it too, when a button is pressed or the one tab of `auto` is due.

Rules of this file:
1. A typed `login` always asks the person, even when the token is good. It begins a flow or joins the one that runs;
   Ctrl-C leaves the flow alone.
2. `--unasked` is the watcher's, for a tab that nobody asked for: it is no human act, and begins no device code that the
   config did not choose.
3. `--flow` is the flow itself, a detached process that is handed its lock.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import suppress
from datetime import datetime

from ssowatch import files, flows, joining, login_text, memories, memory, named, standing, ways
from ssowatch.clock import utc_now
from ssowatch.flow_record import FAILED, SIGNED_IN, UNREACHABLE, Record, Stage
from ssowatch.joining import Ask
from ssowatch.mcp import hanging
from ssowatch.model import SignIn
from ssowatch.plain import plain
from ssowatch.world import World


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", metavar="NAME", help="a sign-in, else a profile")
    parser.add_argument(
        "--method",
        choices=(ways.PKCE, ways.DEVICE, ways.COMMAND),
        help="by a browser (pkce), a code for a browser anywhere (device), or the command of the config",
    )
    parser.add_argument("--no-browser", action="store_true", help="open no browser; show the link")
    parser.add_argument(
        "--fresh", action="store_true", help="end the present sign-in first: the new one has its full length"
    )
    parser.add_argument("--json", action="store_true", help="lines of JSON: waiting, then the outcome")
    parser.add_argument("--unasked", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--flow", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ask", type=Ask, default=Ask.NOTHING, help=argparse.SUPPRESS)
    parser.add_argument("--needed", action="store_true", help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    """Sign in; exit 0 signed in, 1 denied, ignored or impossible, 2 unknown name, 75 unreachable, 78 misconfigured."""
    since = utc_now()
    world = named.world()
    sign_in = named.sign_in(world, options.name)
    if sign_in.problem:
        return _end(_failed(sign_in, sign_in.problem.message), os.EX_CONFIG, options)
    if options.flow is not None:
        from ssowatch import flow_process  # boto3: only the one that signs in pays for it

        errand = flow_process.Errand(
            options.method or ways.PKCE, not options.no_browser, options.fresh, options.ask, options.needed
        )
        return flow_process.run(world, sign_in, options.flow, errand)
    try:
        return _sign_in(world, sign_in, options, since)
    except files.BusyError:
        return _end(
            _failed(sign_in, "another ssowatch process holds its lock and does not answer"), os.EX_TEMPFAIL, options
        )
    except OSError as error:
        return _end(_failed(sign_in, f"{error.filename or 'our state'}: {error.strerror}"), 1, options)


def _sign_in(world: World, sign_in: SignIn, options: argparse.Namespace, since: datetime) -> int:
    if why := _not_known(world, sign_in, options):
        return _end(_failed(sign_in, why), 2, options)
    chosen = joining.way(world, sign_in, options.method, no_browser=options.no_browser)
    if options.unasked and chosen.method == ways.DEVICE and not chosen.chosen:
        return _end(
            _failed(sign_in, "there is no browser here, and a code is shown only to who asks for it"), 1, options
        )
    if not options.unasked:
        with suppress(files.BusyError, OSError):
            memories.update(sign_in.name, memory.human_act)
    needless = (lambda: standing.look(sign_in, utc_now()).good) if options.unasked else None
    found = joining.begin(world, sign_in, chosen, since=since, now=utc_now(), fresh=options.fresh, needless=needless)
    if found is None:
        return _end(Record("", sign_in.name, utc_now(), outcome=SIGNED_IN, message="it is good already"), 0, options)
    record, began = found
    if began and options.fresh and not options.json:
        here = [one.name for one in world.sign_ins() if one.start_url == sign_in.start_url and one is not sign_in]
        servers = [f"{server} ({client})" for server, client in hanging.stopping(world.servers_of(sign_in.name))]
        _say(login_text.ends_with_it(sign_in, servers, here))
    if not began and not options.json and not record.outcome:
        _say(login_text.joined(record, fresh=options.fresh))
    tell = _say_json if options.json else joining.Teller(sign_in, _say)
    try:
        ended = flows.follow(record, None, tell)
    except KeyboardInterrupt:
        if not options.json and (left := flows.running(sign_in.name)):
            print(f"\n{login_text.left_to_itself(sign_in.name, left.deadline)}", file=sys.stderr)
        raise
    assert ended, "there is no time-out"  # noqa: S101 - for the type
    code = {SIGNED_IN: 0, UNREACHABLE: os.EX_TEMPFAIL}.get(ended.outcome or FAILED, 1)
    _end(ended, code, options)
    if code == 0 and not options.json and (after := login_text.after(world.servers_of(sign_in.name))):
        print(after)
    return code


def _not_known(world: World, sign_in: SignIn, options: argparse.Namespace) -> str:
    """Why this sign-in cannot be done as the options say, or ""."""
    if options.method == ways.COMMAND and not joining.login(world, sign_in).command:
        return "there is no login command for it in the ssowatch config"
    if (argv := joining.program(sign_in)) and (options.fresh or options.method not in {None, ways.COMMAND}):
        return f"{' '.join(argv[:2])} signs in to it, and knows neither --fresh nor --method"
    return ""


def _failed(sign_in: SignIn, message: str) -> Record:
    return Record("", sign_in.name, utc_now(), stage=Stage.DONE, outcome=FAILED, message=message)


def _end(record: Record, code: int, options: argparse.Namespace) -> int:
    """The last line."""
    if options.json:
        message = plain(record.message or "", 400)
        print(
            json.dumps({"name": record.name, "outcome": record.outcome, "message": message, "who": record.who}),
            flush=True,
        )
    else:
        print(login_text.outcome(record), file=sys.stdout if code == 0 else sys.stderr, flush=True)
    return code


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _say_json(record: Record) -> None:
    """What the one who reads this may show to who asked, and to nobody else."""
    if record.stage is Stage.DONE or record.stage is Stage.STARTING:
        return
    print(
        json.dumps({"name": record.name, "event": record.stage, "link": record.link, "code": record.code}), flush=True
    )
