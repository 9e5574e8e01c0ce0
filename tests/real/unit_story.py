"""The life of the installed unit under a real user manager. Run by `test_unit.py` as another user; prints what happened.

Standard library only. Each chapter waits for its end and writes down what systemd says then.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from forty_homes import CORP, There, profile, session, wait_for

UNIT = "ssowatch.service"
SECONDS = 150.0
FACTS = ("ActiveState", "SubState", "MainPID", "NRestarts", "Result", "ExecMainStatus", "StatusText", "UnitFileState")
# Quicker than the unit as it is shipped, as a user would have it: in a drop-in.
QUICK = "[Service]\nWatchdogSec=20\nRestartSec=1\nTimeoutStopSec=5\n"
CONFIG = """\
environment:
{environment}
quiet: {{when_locked: false, when_idle: false}}
sign_ins:
  other:
    mode: auto
    login: {{browser: [{browser}]}}
"""
BROWSER = """\
#!/bin/sh
cat /proc/self/cgroup > "$HOME/cgroup"
chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --no-proxy-server \\
    --disable-background-networking --disable-component-update --disable-sync \\
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1" \\
    "--user-data-dir=$HOME/chromium" --dump-dom "$1" > "$HOME/dom.part" 2> "$HOME/chromium.log"
mv "$HOME/dom.part" "$HOME/dom"
"""
there: There


def show() -> dict[str, str]:
    output = subprocess.run(
        ["systemctl", "--user", "show", UNIT, f"--property={','.join(FACTS)}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return dict(line.split("=", 1) for line in output.splitlines())


def pid() -> int:
    return int(show()["MainPID"])


def until(true: Callable[[], object], what: str) -> None:
    assert wait_for(true, SECONDS), f"{what}: {show()}"


def watches(before: int = 0) -> bool:
    """A watcher of the unit, another one than `before`, has published what it sees."""
    now = show()
    return (
        now["ActiveState"] == "active"
        and now["MainPID"] not in {"0", str(before)}
        and _publisher() == int(now["MainPID"])
    )


def _publisher() -> int:
    return int(there.published()["watcher"].get("pid") or 0)


def log() -> str:
    return (Path(os.environ["XDG_RUNTIME_DIR"]) / "systemd.log").read_text(errors="replace")


def installed() -> dict[str, Any]:
    there.config(CORP + session("other") + profile("else", "other"))
    there.sign_in()
    code, said = there.ssowatch("setup", "--yes")
    until(there.protected, "the token was renewed by the unit's watcher")
    verify = subprocess.run(
        ["systemd-analyze", "--user", "verify", there.home / ".config/systemd/user" / UNIT],
        capture_output=True,
        text=True,
        check=False,
    )
    again = there.ssowatch("setup", "--yes")
    found = {**show(), "code": code, "said": said, "again": again, "verify": verify.stdout + verify.stderr}
    there.config(QUICK, f".config/systemd/user/{UNIT}.d/quick.conf")
    found["restart"] = there.sh("systemctl --user daemon-reload") or there.ssowatch("service", "restart")
    until(watches, "it runs with the drop-in")
    return found


def crashed() -> dict[str, str]:
    before = pid()
    os.kill(before, signal.SIGSEGV)
    until(lambda: watches(before), "it is started again")
    return show()


def hung() -> dict[str, str]:
    before = pid()
    os.kill(before, signal.SIGSTOP)
    until(lambda: watches(before), "it is started again")
    return show()


def misconfigured() -> dict[str, Any]:
    kept = (there.home / ".config/ssowatch/config.yaml").read_text()
    there.config("mode: off\n", ".config/ssowatch/config.yaml")
    code, said = there.ssowatch("service", "restart")
    until(lambda: show()["ActiveState"] == "failed", "it failed for good")
    failed = {**show(), "code": code, "said": said, "status": there.ssowatch("service", "status")}
    there.config(kept, ".config/ssowatch/config.yaml")
    failed["mended"] = there.ssowatch("service", "restart")
    return failed


def stopped() -> dict[str, Any]:
    until(watches, "it runs")
    began = time.monotonic()
    there.sh(f"systemctl --user stop {UNIT}")
    took = time.monotonic() - began
    found = {**show(), "seconds": took, "status": there.ssowatch("service", "status")}
    there.ssowatch("service", "restart")
    until(watches, "it runs again")
    return found


def asked(titles: Path) -> dict[str, Any]:
    """A sign-in has ended: a notice, and for the other one a Chromium on the page of the portal."""
    browser = there.config(BROWSER, "bin/a-browser")
    browser.chmod(0o755)
    given = "".join(f"  {name}: {value}\n" for name, value in there.environ.items() if name.startswith("AWS_ENDPOINT"))
    there.config(CONFIG.format(environment=given, browser=browser), ".config/ssowatch/config.yaml").chmod(0o600)
    there.sh("systemctl --user set-environment DISPLAY=:7")  # as a desktop does when a person logs in
    ended = {"expiresAt": "2026-01-05T08:00:00Z", "refreshToken": None}
    there.sign_in("corp", clientId="another", **ended)
    until(lambda: "corp" in titles.read_text().replace("ssowatch: this is a test", ""), "a notice is shown")
    there.sign_in("other", clientId="a third", **ended)
    until((there.home / "dom").exists, "a Chromium went to the portal")
    return {
        "titles": titles.read_text(),
        "page": (there.home / "dom").read_text(),
        "unit": (there.home / "cgroup").read_text(),
    }


def removed() -> dict[str, Any]:
    (there.home / ".config/ssowatch/config.yaml").unlink()
    code, said = there.ssowatch("setup", "--yes", "--remove")
    ours = [one for one in there.home.rglob("*") if "ssowatch" in str(one.relative_to(there.home))]
    left = [str(one.relative_to(there.home)) for one in ours if not one.is_dir()]
    return {**show(), "code": code, "said": said, "left": left}


def main(program: str, python: str, order: str) -> None:
    global there  # noqa: PLW0603 - a story has one home
    given = json.loads(Path(order).read_text())
    home, runtime = Path(os.environ["HOME"]), Path(os.environ["XDG_RUNTIME_DIR"])
    there = There(home, Path(program), {**os.environ, **given["environ"]}, given["tokens"])
    titles = runtime / "titles"
    bus = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus"}
    server = subprocess.Popen(
        [python, str(Path(__file__).with_name("notification_server.py")), str(titles)], env={**os.environ, **bus}
    )
    happened: dict[str, Any] = {}
    try:
        assert wait_for(titles.exists), "the notification server is there"
        for chapter in (installed, crashed, hung, misconfigured, stopped, lambda: asked(titles), removed):
            name = chapter.__name__.replace("<lambda>", "asked")
            happened[name] = chapter()
    except AssertionError as error:
        happened["fault"] = str(error)
        with suppress(OSError):
            happened["log"] = log()[-4000:]
            happened["chromium"] = (home / "chromium.log").read_text()[-2000:]
    finally:
        server.terminate()
        server.wait(SECONDS)
    print(json.dumps(happened))


if __name__ == "__main__":
    main(*sys.argv[1:])
