"""The token files, and the sign-ins they stand for (composition)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from ssowatch import kinds, paths, problems
from ssowatch.doctor.check import Finding, good, named, typed
from ssowatch.doctor.scene import Scene
from ssowatch.model import MINUTE
from ssowatch.plain import plain

_SOON = timedelta(days=7)
_OLD = timedelta(hours=1)
"""Nobody takes longer than this from a temporary file to its rename."""
_ELSEWHERE = {"misconfigured", "clock_skew"}
"""Problems that another check tells."""


class SignIns:
    """Each sign-in works, and goes on by itself."""

    name = "sign_ins"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """What the planner says of each, as `status` does."""
        for row in scene.sight.rows:
            problem = row.plan.problem
            told = problem is None or problem.code in _ELSEWHERE
            if problem and problem.code == "no_refresh_token" and row.sign_in.name in scene.upgrades:
                told = True
            if problem and not told:
                yield Finding(f"{named(row.sign_in)}: {problem.message}", problem.fix)
            elif not row.sign_in.problem:
                yield good(f"{named(row.sign_in)} is {row.plan.state.replace('_', ' ')}")
        if not scene.sign_ins:
            yield good("there is none")


class TokenFiles:
    """Nobody but the user reads them, and a renewal can write them."""

    name = "token_files"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """Owner and mode of each, and of their directory."""
        found = list(_folder())
        for one in scene.sign_ins:
            path = kinds.token_file(one.name)
            try:
                info = os.stat(path)  # noqa: PTH116 - of a link, what it leads to
            except OSError:
                continue
            if info.st_uid != os.getuid():
                message = (
                    f"the token file of {named(one)} belongs to another user (made by sudo?): it cannot be renewed"
                )
                found.append(Finding(message, f"sudo chown $(id -u):$(id -g) {typed(path)}"))
            elif stat.S_IMODE(info.st_mode) & 0o077:
                mode = f"{stat.S_IMODE(info.st_mode):o}"
                message = (
                    f"the token file of {named(one)} has mode {mode}: other users of this machine may take the token"
                )
                found.append(Finding(message, f"chmod 600 {typed(path)}", _chmod(path, 0o600)))
        yield from found or [good("they are yours alone")]


def _folder() -> Iterator[Finding]:
    folder = paths.token_cache()
    if not os.path.isdir(folder):  # noqa: PTH112
        if os.path.lexists(folder):
            yield Finding("~/.aws/sso/cache is no directory: no program can sign in", f"rm {typed(folder)}")
        return
    info = os.stat(folder)  # noqa: PTH116
    if info.st_uid != os.getuid() and not os.access(folder, os.W_OK):
        message = "~/.aws/sso/cache belongs to another user (made by sudo?): no token can be renewed"
        yield Finding(message, f"sudo chown -R $(id -u):$(id -g) {typed(folder)}")
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        message = "~/.aws/sso/cache may not be written or read: no token can be renewed"
        yield Finding(message, f"chmod u+rwx {typed(folder)}", _chmod(folder, stat.S_IMODE(info.st_mode) | 0o700))


def _chmod(path: str, mode: int) -> Callable[[], None]:
    def mend() -> None:
        os.chmod(path, mode)  # noqa: PTH101

    return mend


class Leftovers:
    """No token lies about in a file that nobody looks after."""

    name = "leftovers"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """Temporary files of writers that were killed: `tmpXXXX.tmp` of botocore, `<sha>.json.tmp-<number>` of Go, ours."""
        left = list(_left(scene.now.timestamp()))
        if not left:
            yield good("nothing was left behind")
            return
        names = r"\( -name '*.tmp' -o -name '*.tmp-*' \)"
        yield Finding(
            f"~/.aws/sso/cache has {len(left)} temporary file{'s' if len(left) > 1 else ''} that a killed program left: "
            "there may be tokens in them, which no logout removes",
            f"find ~/.aws/sso/cache -maxdepth 1 -type f {names} -mmin +60 -delete",
            lambda: _remove(left),
        )


def _left(now: float) -> Iterator[str]:
    try:
        entries = list(os.scandir(paths.token_cache()))
    except OSError:
        return
    for one in entries:
        try:
            info = one.stat(follow_symlinks=False)
        except OSError:
            continue
        temporary = one.name.endswith(".tmp") or ".tmp-" in one.name
        old = now - info.st_mtime > _OLD.total_seconds() + MINUTE.total_seconds()
        if temporary and old and stat.S_ISREG(info.st_mode) and info.st_uid == os.getuid():
            yield one.path


def _remove(left: list[str]) -> None:
    for path in left:
        os.unlink(path)  # noqa: PTH108


class Registrations:
    """The client registrations outlive the work."""

    name = "registration"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """Those that end within a week, and with them the renewals."""
        found = [
            Finding(
                f"{named(row.sign_in)} can be renewed only until {at:%Y-%m-%d %H:%M} UTC, when its client registration ends",
                problems.login_command(row.sign_in),
            )
            for row in scene.sight.rows
            if row.token
            and row.token.refreshable
            and (at := row.token.registration_expires_at)
            and scene.now < at < scene.now + _SOON
        ]
        yield from found or [good(f"no client registration ends within {plain(str(_SOON.days))} days")]
