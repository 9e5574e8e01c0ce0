"""`ssowatch logout`: end one sign-in at the portal and remove its token, and no other, unlike `aws sso logout`."""

from __future__ import annotations

import argparse
import os
import sys

from ssowatch import client, flows, named
from ssowatch.outcomes import Result
from ssowatch.plain import plain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", metavar="NAME", help="a sign-in, else a profile")


def run(options: argparse.Namespace) -> int:
    """Sign out; exit 0 done, 1 not, 2 unknown name, 75 the portal was not reached, 78 our config is wrong."""
    world = named.world()
    sign_in = named.sign_in(world, options.name)
    from ssowatch.signing_out import sign_out  # boto3

    flows.cancel(sign_in.name)
    outcome = sign_out(sign_in)
    client.ask("look")
    code = {Result.SIGNED_OUT: 0, Result.UNREACHABLE: os.EX_TEMPFAIL}.get(outcome.result, 1)
    print(f"{plain(sign_in.name)}: {plain(outcome.message, 400)}", file=sys.stderr if code else sys.stdout)
    return code
