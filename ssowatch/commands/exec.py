"""`ssowatch exec PROFILE -- CMD…`: ensure, then become CMD.

Rules of this file:
1. CMD takes this process's place: its input, output, signals, umask and exit code are its own.
2. It holds the sign-in's use lock, shared, by an open file that CMD inherits: as long as CMD lives the sign-in is in use
   (`renew: in_use`).
3. CMD gets AWS_PROFILE, and nothing that would win over it.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from datetime import timedelta

from ssowatch import ensuring, files, named, paths
from ssowatch.clock import utc_now
from ssowatch.model import SignIn
from ssowatch.plain import plain
from ssowatch.unusable import UnusableError
from ssowatch.wish import Wish
from ssowatch.world import World

_SECONDS = 600.0
"""How long a program without a terminal waits for a person: as long as a sign-in may take."""
_MIN = timedelta(minutes=5)
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_UNSET = (
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_WEB_IDENTITY_TOKEN_FILE",  # botocore asks it before the profile's SSO
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = "ssowatch exec PROFILE -- CMD..."
    parser.add_argument("profile", metavar="PROFILE", help="a profile; or a sign-in that has only one")
    parser.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- CMD...", help="the program and its arguments")


def run(options: argparse.Namespace) -> int:
    """Become CMD; else exit 1 a person is needed, 2 usage, 75 unreachable, 78 misconfigured, 126 and 127 as a shell."""
    since = utc_now()
    argv = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
    if not argv:
        print("ssowatch: give it a program: ssowatch exec PROFILE -- CMD...", file=sys.stderr)
        return 2
    environment = dict(os.environ)  # CMD's own: the config's `environment` is for our calls
    world = named.world()
    sign_in, profile = _wanted(world, options.profile)
    with suppress(OSError):  # without it the program is no holder, and runs all the same
        files.shared(paths.use_lock(sign_in.name))
    terminal = ensuring.at_terminal()
    wish = Wish(since, terminal, minutes=_MIN, seconds=None if terminal else _SECONDS)
    verdict = ensuring.ensure(world, sign_in, wish, _say)
    if verdict.code:
        print(f"ssowatch: {plain(sign_in.name)}: {verdict.message}", file=sys.stderr)
        return verdict.code
    os.umask(options.umask)
    return _become(
        argv, {name: value for name, value in environment.items() if name not in _UNSET} | {"AWS_PROFILE": profile}
    )


def _wanted(world: World, name: str) -> tuple[SignIn, str]:
    """The sign-in, and the profile that CMD is to use. Here a profile comes before a sign-in of the same name.

    Raises:
        UnusableError: there is no such profile.

    """
    own = next((one for one in world.sign_ins() if one.name == name), None)
    if own and not any(name in one.profiles for one in world.sign_ins()):
        if len(own.profiles) == 1:
            return own, own.profiles[0]
        found = f"it has {', '.join(map(plain, own.profiles))}" if own.profiles else "it has none"
        raise UnusableError(2, f"{plain(name)} is a sign-in; name one of its profiles: {found}")
    return named.of_profile(world, name), name


def _become(argv: list[str], environment: dict[str, str]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvpe(argv[0], argv, environment)  # noqa: S606 - the user's own program, as an argument list
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        print(f"ssowatch: {plain(argv[0])}: {'command not found' if missing else error.strerror}", file=sys.stderr)
        return _NOT_FOUND if missing else _NOT_EXECUTABLE


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
