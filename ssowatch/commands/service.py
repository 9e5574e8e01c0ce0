"""`ssowatch service install|uninstall|restart|status|logs`: what keeps the watcher running."""

from __future__ import annotations

import argparse
import os
import shutil
import sys

from ssowatch import service, serving
from ssowatch.paragraphs import wrapped
from ssowatch.plain import plain

_ACTS = {
    "install": "start it now and with every log-in; harmless when repeated",
    "uninstall": "stop it and remove its file",
    "restart": "stop it and start it",
    "status": "how it is; exit 0 if it runs",
    "logs": "what it logged",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands."""
    acts = parser.add_subparsers(dest="act", metavar="|".join(_ACTS), required=True)
    for name, summary in _ACTS.items():
        act = acts.add_parser(name, help=summary)
        if name == "logs":
            act.add_argument("-f", "--follow", action="store_true", help="go on as it logs")


def run(options: argparse.Namespace) -> int:
    """Exit 0 done, 1 if it cannot be done here (and what to do instead), or for `status` that it does not run."""
    try:
        match options.act:
            case "install":
                return _say(serving.install())
            case "uninstall":
                return _say(serving.uninstall() or ["there is no service: nothing to do"])
            case "restart":
                return _say(serving.restart())
            case "status":
                return _status()
            case _:
                return _logs(follow=options.follow)
    except service.CannotError as error:
        print(_wrapped(f"ssowatch: {plain(str(error), 400)}"), file=sys.stderr)
        print(_wrapped(error.fix), file=sys.stderr)
        return 1


def _say(lines: list[str]) -> int:
    for line in lines:
        print(_wrapped(plain(line, 400)))
    return 0


def _status() -> int:
    name, found = serving.standing()
    print(_wrapped(f"{name}: {plain(found.lines[0], 400)}"))
    for line in found.lines[1:]:
        print(_wrapped(plain(line, 400)))
    if found.fix:
        print(_wrapped(found.fix))
    return 0 if found.running else 1


def _logs(*, follow: bool) -> int:
    argv = service.here().logs(follow=follow)
    sys.stdout.flush()
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - no shell: it is what the user asked to see
    except OSError as error:
        raise service.CannotError(f"{argv[0]}: {error.strerror}", "install it, or look into the system's log") from None


def _wrapped(text: str) -> str:
    return wrapped(text, min(shutil.get_terminal_size().columns, 100))
