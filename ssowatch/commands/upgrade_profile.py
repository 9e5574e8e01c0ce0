"""`ssowatch upgrade-profile`: a legacy or scope-less entry of the AWS config made renewable, with diff, backup and a way back."""

from __future__ import annotations

import argparse
import os
import sys

from ssowatch import aws_rewrite, named, standing, upgrading
from ssowatch.clock import utc_now
from ssowatch.plain import plain
from ssowatch.problems import login_command
from ssowatch.world import World

_GOOD, _NO, _USAGE = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="a profile or a sign-in")
    parser.add_argument(
        "--session", metavar="NAME", help="how the sso-session is to be called (default: from the start URL)"
    )
    parser.add_argument("--yes", action="store_true", help="write without asking")
    parser.add_argument(
        "--undo", action="store_true", help="put the AWS files back as they were before the last upgrade"
    )


def run(options: argparse.Namespace) -> int:
    """Exit 0 done or nothing to do, 1 not done, 2 unknown name, 78 our config or the AWS config is wrong."""
    if bool(options.name) == options.undo:
        print(
            "ssowatch: say what: `ssowatch upgrade-profile NAME` or `ssowatch upgrade-profile --undo`", file=sys.stderr
        )
        return _USAGE
    try:
        if options.undo:
            return _undo()
        named.sign_in(named.world(), options.name)
        return _upgrade(options)
    except (upgrading.NotUpgradableError, upgrading.NotRewritableError) as error:
        print(f"ssowatch: {error}\nto mend it: {error.fix}", file=sys.stderr)
        return os.EX_CONFIG if isinstance(error, upgrading.NotUpgradableError) else _NO


def _upgrade(options: argparse.Namespace) -> int:
    proposal = upgrading.propose(options.name, options.session)
    session = proposal.upgrade.session
    for profile in proposal.upgrade.left:
        print(f"{plain(profile)} stays as it is: it names another sso_region, and one portal has one. Is that right?")
    if not proposal.changes:
        print(f"{plain(session)} can be renewed as it stands; nothing to change.")
        return _GOOD
    print("\n".join([*proposal.lines, *proposal.links]), flush=True)
    if not options.yes and not _agreed():
        print("Nothing was changed.")
        return _NO
    for backup in proposal.write():
        print(f"As it was: {aws_rewrite.shown(backup)} (back with: ssowatch upgrade-profile --undo)")
    print(_what_now(session, proposal.upgrade.moved))
    return _GOOD


def _agreed() -> bool:
    if not sys.stdin.isatty():
        print("To write this: the same command with --yes.")
        return False
    try:
        return input("Write this? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        print()
        return False


def _what_now(session: str, moved: tuple[str, ...]) -> str:
    said = ["Programs that run now keep the old entry until they are restarted."] if moved else []
    sign_in = next(one for one in World(recording=False).sign_ins() if one.name == session)
    now = standing.look(sign_in, utc_now())
    if now.good and now.token and now.token.refreshable:
        said.append(f"{plain(session)} is signed in and renews silently.")
    else:
        said.append(f"Now sign in once: {login_command(sign_in)}")
    return "\n".join(said)


def _undo() -> int:
    for path in aws_rewrite.undo():
        print(f"{aws_rewrite.shown(path)} is as it was before the upgrade.")
    return _GOOD
