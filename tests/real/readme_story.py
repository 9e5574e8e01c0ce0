"""Follows the README's commands one after the other. Run by `test_readme.py` under a real user manager, as another user.

Standard library only. The home is that of somebody who has signed in; nothing else is there.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from forty_homes import CORP, SECONDS, There, profile, wait_for

ENTERS = 40
# A person's browser, who is signed in at the portal already: the tests walk its pages elsewhere.
BROWSER = "#!/bin/sh\nexit 0\n"


def done(there: There, command: str, way: str) -> dict[str, Any]:
    """How a command ended, and what it said."""
    began = time.monotonic()
    argv = ["/bin/sh", "-c", command]
    if way == "stays":  # so that the signal is its own
        argv[-1] = f"exec {command}"
    if way == "asked":  # at a terminal, by somebody who presses Enter
        argv = ["script", "--quiet", "--return", "--command", command, "/dev/null"]
    process = subprocess.Popen(
        argv,
        env=there.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=there.home,
        start_new_session=True,
    )
    if way == "stays":
        wait_for(lambda: there.published()["watcher"]["running"])
        os.killpg(process.pid, signal.SIGTERM)
    said, _ = process.communicate(b"\n" * ENTERS if way == "asked" else b"", SECONDS * 5)
    return {
        "command": command, "code": process.returncode, "said": said.decode(errors="replace"),
        "seconds": time.monotonic() - began,
    }  # fmt: skip


def main(program: str, python: str, order: str) -> None:
    given = json.loads(Path(order).read_text())
    home, runtime = Path(os.environ["HOME"]), Path(os.environ["XDG_RUNTIME_DIR"])
    path = f"{home}/bin:{Path(program).parent}:/usr/bin:/bin"
    there = There(home, Path(program), {**os.environ, **given["environ"], "PATH": path}, given["tokens"])
    (home / "bin").mkdir(exist_ok=True)
    there.config(BROWSER, "bin/a-browser").chmod(0o755)
    there.environ["BROWSER"] = shlex.quote(str(home / "bin/a-browser"))
    there.config(CORP + profile("prod"))
    there.sign_in()
    titles = runtime / "titles"
    bus = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus"}
    server = subprocess.Popen(
        [python, str(Path(__file__).with_name("notification_server.py")), str(titles)], env={**os.environ, **bus}
    )
    try:
        assert wait_for(titles.exists), "the notification server is there"
        print(json.dumps([done(there, *step) for step in given["steps"]]))
    finally:
        server.terminate()
        server.wait(SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
