"""`ssowatch mcp wrap -- CMD…`: run an MCP server so that its calls wait for the sign-in instead of failing.

`__main__` comes here before anything else is imported: the leash is a fork, and shares what there is at that moment.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

from ssowatch.wrapper.leash import Leash

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from datetime import timedelta
    from typing import NoReturn

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126


def main(arguments: list[str]) -> int:
    """Run with the arguments after `wrap`: the short way, without the rest of the command line and its umask.

    It lives as long as the client does, and argparse would stay with it (1 MiB): that one is for help and mistakes.
    """
    leash = Leash()
    from getopt import GetoptError, getopt

    try:
        options, argv = getopt(arguments, "", ["profile=", "wait="])
    except GetoptError:
        return _explained(arguments, leash)
    given = dict(options)
    return _run(argv, given.get("--profile"), given.get("--wait", "auto"), leash)


def _explained(arguments: list[str], leash: Leash) -> int:
    from argparse import ArgumentParser

    parser = ArgumentParser(prog="ssowatch mcp wrap", description=(__doc__ or "").partition("\n")[0].partition(": ")[2])
    add_arguments(parser)
    try:
        options = parser.parse_args(arguments)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 2
    return _run(options.argv, options.profile, options.wait, leash)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = "ssowatch mcp wrap [--profile P] [--wait auto|D] -- CMD..."
    parser.add_argument("--profile", metavar="P", help="the server gets it as AWS_PROFILE (default: what CMD is given)")
    parser.add_argument(
        "--wait",
        metavar="D",
        default="auto",
        help="how long a call may wait for a person, like 45s or 8h; 0s: not at all; auto: as long as the client waits",
    )
    parser.add_argument("argv", nargs="...", metavar="-- CMD...", help="the server and its arguments")


def run(options: argparse.Namespace) -> int:
    """Be the server, the long way (by `--config`)."""
    os.umask(options.umask)
    return _run(options.argv, options.profile, options.wait, Leash())


def _run(argv: list[str], profile: str | None, wait: str, leash: Leash) -> int:
    """Be the server, as far as the client sees: its exit code; 2 usage, 126 and 127 as a shell."""
    from ssowatch.plain import plain

    argv = argv[1:] if argv[:1] == ["--"] else argv
    if not argv:
        print("ssowatch: give it a server: ssowatch mcp wrap -- CMD...", file=sys.stderr)
        return 2
    try:
        longest = _wait(wait)
    except ValueError as error:
        print(f"ssowatch: --wait {plain(wait)}: {error}", file=sys.stderr)
        return 2
    return _wrap(argv, profile, longest, leash)


def _wait(written: str) -> timedelta | None:
    """None: as long as the client waits.

    Raises:
        ValueError: it is no duration.

    """
    if written == "auto":
        return None
    from ssowatch import durations

    return durations.parse(written)


def _wrap(argv: list[str], profile: str | None, wait: timedelta | None, leash: Leash) -> int:
    from ssowatch import malloc, paths, spared

    spared.go_without()
    from ssowatch.plain import plain
    from ssowatch.wrapper.ensuring import Ensuring
    from ssowatch.wrapper.profile import given
    from ssowatch.wrapper.relay import Relay
    from ssowatch.wrapper.server import Server
    from ssowatch.wrapper.sign_in import OurSignIn

    malloc.keep_little()
    environment = dict(os.environ)
    if profile:
        environment["AWS_PROFILE"] = profile
        environment.pop("AWS_DEFAULT_PROFILE", None)  # botocore takes it first (`configprovider.py`)
    try:
        if not paths.has_home():  # the server, which may need none, is worth more to its client than our complaint
            _be(argv, environment)
        ensuring = Ensuring(leash)
        sign_in = OurSignIn(profile or given(argv, environment), ensuring)
        status = Relay(Server(argv, environment, leash), sign_in, ensuring, wait).run()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        print(f"ssowatch: {plain(argv[0])}: {'command not found' if missing else error.strerror}", file=sys.stderr)
        return _NOT_FOUND if missing else _NOT_EXECUTABLE
    if status < 0:
        with suppress(OSError):  # SIGKILL cannot be set, and need not
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status if status >= 0 else 128 - status)  # threads may still wait for the client's next line


def _be(argv: list[str], environment: dict[str, str]) -> NoReturn:
    """Raises OSError: it cannot be started."""
    from ssowatch.paths import NO_HOME

    print(f"ssowatch: {NO_HOME}; the server runs without ssowatch", file=sys.stderr, flush=True)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, which would last
    os.execvpe(argv[0], argv, environment)  # noqa: S606 - the argv that the user wrote
