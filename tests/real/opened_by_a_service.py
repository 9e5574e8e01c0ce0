"""Run by `test_browser_unit.py` under a real user manager: a service opens a link, then stops. Prints what happened.

It runs on the system's Python, as another user, with a copy of a few of our files: standard library only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SOURCE, MODE = sys.argv[1:]
HOME = Path(os.environ["HOME"])
LINK = "http://127.0.0.1:43210/go/x7f9"
LIVES = "browser.json"
# Like xdg-open where no browser runs yet: starts it and goes. The browser stays.
OPENER = f"""\
#!/usr/bin/python3
import json, os, subprocess, sys, time
if {MODE!r} == "none": sys.exit(3)
if {MODE!r} == "leaves": subprocess.Popen([{str(HOME / "bin" / "a-browser")!r}, *sys.argv[1:]])
else: os.execv({str(HOME / "bin" / "a-browser")!r}, ["a-browser", *sys.argv[1:]])
"""
BROWSER = f"""\
#!/usr/bin/python3
import json, os, sys, time
mask = os.umask(0o077)
fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + fd))
said = dict(argv=sys.argv[1:], environ=dict(os.environ), umask=mask, pid=os.getpid(), fds=fds,
            unit=open("/proc/self/cgroup").read())
open({str(HOME / "part")!r}, "w").write(json.dumps(said))
os.rename({str(HOME / "part")!r}, {str(HOME / LIVES)!r})
time.sleep(600)
"""
SERVICE = f"""\
import os, sys, time
from ssowatch import browser
browser._SECONDS = {3.0 if MODE == "stays" else 60.0}
said = repr((browser.available(os.environ), browser.open_url({LINK!r})))
open({str(HOME / "part2")!r}, "w").write(said)
os.rename({str(HOME / "part2")!r}, {str(HOME / "said")!r})
time.sleep(600)
"""
UNIT = f"""\
[Service]
ExecStart=/usr/bin/python3 {HOME}/service.py
Environment=PYTHONPATH={SOURCE} AWS_SECRET_ACCESS_KEY=canary MINE=of-the-service PATH={HOME}/bin:/usr/bin:/bin
UMask=0077
KillMode=control-group
"""


def wait_for(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 90
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def systemctl(*words: str) -> str:
    return subprocess.run(
        ["systemctl", "--user", *words], check=True, timeout=90, stdout=subprocess.PIPE, text=True
    ).stdout


def program(name: str, text: str) -> None:
    path = HOME / "bin" / name
    path.write_text(text)
    path.chmod(0o755)


program("xdg-open", OPENER)
program("a-browser", BROWSER)
(HOME / "service.py").write_text(SERVICE)
units = HOME / ".config" / "systemd" / "user"
units.mkdir(parents=True)
(units / "flow.service").write_text(UNIT)
systemctl("daemon-reload")
systemctl("set-environment", "DISPLAY=:7", "DESKTOP_SAYS=now")  # as a desktop does when a person logs in
systemctl("start", "flow.service")
wait_for((HOME / "said").exists, "the service opened the link, or not")
happened: dict[str, object] = {"said": (HOME / "said").read_text()}
if MODE != "none":
    wait_for((HOME / LIVES).exists, "the browser runs")
    browser = happened["browser"] = json.loads((HOME / LIVES).read_text())
    systemctl("stop", "flow.service")
    happened["service"] = systemctl("show", "flow.service", "--property=ActiveState").strip()
    state = Path(f"/proc/{browser['pid']}/stat")
    happened["lives"] = state.exists() and state.read_text().rpartition(")")[2].split()[0] not in "ZX"
print(json.dumps(happened))
