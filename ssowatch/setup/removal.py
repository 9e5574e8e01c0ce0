"""Everything of ssowatch taken away again (composition; `setup --remove`).

Rules of this file:
1. What is AWS's stays: the config, the token files. So does what the user wrote: a config that is not as setup or
   `config init` wrote it goes only when that is agreed to.
2. The watcher goes first, else it would write its state anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ssowatch import carried, paths, serving
from ssowatch.paths import shown
from ssowatch.service import CannotError
from ssowatch.setup.shell_environment import untouched
from ssowatch.setup.step import Finding, Mend, NotMendedError

_PROFILES = (".profile", ".bash_profile", ".bashrc", ".zprofile", ".zshrc")


def removed() -> Iterator[Finding]:
    """Take it away, piece by piece; one finding per piece."""
    try:
        for line in [*serving.uninstall(), *serving.end_watcher()]:
            yield Finding(line)
    except CannotError as error:
        yield Finding(str(error), good=False, fix=error.fix, final=True)
        return
    for place in (paths.state_dir(), os.path.dirname(paths.socket_path())):  # noqa: PTH120
        if os.path.isdir(place):  # noqa: PTH112
            try:
                shutil.rmtree(place)
                yield Finding(f"removed {shown(place)}")
            except OSError as error:
                why = f"{shown(place)} cannot be removed: {error.strerror}"
                yield Finding(why, good=False, fix=f"Remove it by hand:\n  rm -r {shown(place)}")
    yield from _config()
    for name in _PROFILES:
        file = Path(paths.home(), name)
        if file.is_file() and "ssowatch run" in file.read_text(errors="replace"):
            yield Finding(f"~/{name} still starts ssowatch", good=False, fix="Take that line out of it.")
    backups = sorted(Path(paths.aws_config()).parent.glob("*.before-upgrade-*"))
    if backups:
        yield Finding(f"stays: {', '.join(shown(str(one)) for one in backups)}, as your AWS config was before")
    yield Finding("stays: your AWS config and your sign-ins")


def _config() -> Iterator[Finding]:
    file = Path(paths.home(), ".config/ssowatch/config.yaml")
    if not file.is_file():
        return
    text = file.read_text(errors="replace")
    ours = text.encode() == carried.read("config.example.yaml") or untouched(text)

    def away() -> list[str]:
        try:
            file.unlink()
            if not any(file.parent.iterdir()):
                file.parent.rmdir()
        except OSError as error:
            raise NotMendedError(f"{shown(str(file))} cannot be removed: {error.strerror}", "") from None
        return [f"removed {shown(str(file))}"]

    text = "as it was written by ssowatch" if ours else "which you have changed"
    yield Finding(
        f"{shown(str(file))} is there, {text}",
        mend=Mend("Remove it?", away, safe=ours, usual=ours),
        fix="" if ours else f"It stays. To remove it:\n  rm {shown(str(file))}",
    )
