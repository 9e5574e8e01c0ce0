"""Opening one link in the browser of the person at the screen (an edge, synchronous; for the flow).

Rules of this file:
1. The link stands in the opener's argv, where every program of this machine can read it. So it is a one-time link to
   our own listener, which redirects, or a page of AWS that asks the person again; never an authorize URL with its state.
2. Only what `links.allowed` lets through.
3. Who opens it: the user's own command from our config, else `BROWSER` entry by entry, else the desktop. What fails is
   followed by the next of the same kind; a command of our config by nothing, since another browser is another person.
4. From a service the opener is started by the user's service manager (`systemd-run --user`): in a unit of its own, which
   no restart of ours ends, with the environment that the desktop gave the manager, its umask and limits. GNOME's
   terminals carry a service's `INVOCATION_ID` too; there it does no harm.
5. Over ssh the person sits elsewhere: only `BROWSER` and a display of the ssh session itself count.
6. A child gets no descriptor of ours, a session of its own, umask 022, no AWS_* and nothing that systemd gave to us.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ssowatch import paths
from ssowatch.links import allowed

_SECONDS = 5.0
"""An opener that runs longer is a browser in the foreground: opened. (`xdg-open` becomes the browser if none runs.)"""
_MANAGER_SECONDS = 2.0
_SHOW_ENVIRONMENT = ("systemctl", "--user", "show-environment")
_IN_A_UNIT = ("--user", "--quiet", "--collect", "--property=KillMode=process")
"""`KillMode`: an opener ends when it has started the browser, and its unit must not take the browser with it."""
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
_SERVICE = ("NOTIFY_SOCKET", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "MAINPID", "MANAGERPID")
_SERVICE_PREFIXES = ("AWS_", "WATCHDOG_", "LISTEN_", "MEMORY_PRESSURE_")
_DESKTOP = (("xdg-open",), ("gio", "open"))
_KERNEL = Path("/proc/sys/kernel/osrelease")
_WINDOWS = (  # from WSL; both take the link as one argument, without cmd.exe, which would split it at an &
    ("wslview",),
    ("rundll32.exe", "url.dll,FileProtocolHandler"),
    ("powershell.exe", "-NoProfile", "-NonInteractive", "-Command", "Start-Process -FilePath '{}'"),
)
_WINDOWS_PATH = "/mnt/c/Windows/System32:/mnt/c/Windows/System32/WindowsPowerShell/v1.0"
_REASONS = {  # xdg-open(1)
    ("xdg-open", 3): "no browser is installed",
    ("xdg-open", 4): "no browser could be started",
}


def available(environ: Mapping[str, str], argv: Sequence[str] = ()) -> bool:
    """Whether a link can be opened for the person who uses `environ`; `argv` is the config's own command."""
    if argv or any(_which(one[0]) for one in _own_choice(environ)):
        return True
    if sys.platform == "darwin":
        return not _over_ssh(environ)
    if _has_display(environ):
        return True
    return not _over_ssh(environ) and (bool(_windows()) or _has_display(_manager()))


def open_url(url: str, argv: Sequence[str] = ()) -> str | None:
    """Open `url`; None when it is open, else why not, for a person. `argv` is the config's own command."""
    if not allowed(url):
        return "this is no link that ssowatch opens"
    environ = os.environ
    if argv:
        return _try([[*argv, url]], environ)
    said = _try(_own_choice(environ, url), environ)
    if said is None:
        return None
    desktop = _try(_desktop(environ, url), environ)
    return None if desktop is None else "; ".join(dict.fromkeys(filter(None, (said, desktop)))) or "there is no browser"


def _own_choice(environ: Mapping[str, str], url: str = "") -> list[list[str]]:
    """The entries of `BROWSER`, as Python's webbrowser and xdg-open read them: `%s` is the link, no shell."""
    chosen = []
    for entry in filter(None, environ.get("BROWSER", "").split(os.pathsep)):
        try:
            words = [entry] if shutil.which(entry) else shlex.split(entry)
        except ValueError:  # an open quote
            continue
        words = words[:-1] if words[-1:] == ["&"] else words
        given = [word.replace("%s", url) for word in words]
        if given:
            chosen.append(given if given != words or "%s" in entry else [*given, url])
    return chosen


def _desktop(environ: Mapping[str, str], url: str) -> list[list[str]]:
    """What opens a link on this machine where the user chose nothing."""
    if _over_ssh(environ) and not _has_display(environ):
        return []
    if sys.platform == "darwin":
        return [["open", url]]
    if windows := _windows():
        return [[word.replace("{}", url) for word in one] if "{}" in one[-1] else [*one, url] for one in windows]
    if not _has_display(environ) and not _has_display(_manager()):
        return []
    return [[*next((one for one in _DESKTOP if _which(one[0])), _DESKTOP[0]), url]]


def _try(commands: Sequence[Sequence[str]], environ: Mapping[str, str]) -> str | None:
    """Run them until one opens; None then, else what each said (nothing for no command)."""
    complaints = []
    for command in commands:
        complaint = _run(command, environ)
        if complaint is None:
            return None
        complaints.append(complaint)
    return "; ".join(complaints)


def _run(command: Sequence[str], environ: Mapping[str, str]) -> str | None:
    name = os.path.basename(command[0])  # noqa: PTH119 - argv words, no paths
    program = _which(command[0])
    if program is None:
        return f"{name} is not installed"
    prefix = _unit(environ)
    try:
        process = subprocess.Popen(
            [*prefix, program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_scrubbed(environ),
            umask=0o022,
            start_new_session=True,
            cwd="/",
        )
    except OSError as error:
        return f"{name} cannot be started: {error.strerror}"
    try:
        code = process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        if prefix:
            process.kill()  # only the waiting for the unit ends, not the unit
        threading.Thread(target=process.wait, daemon=True).start()  # no zombie while we live
        return None
    if code == 0:
        return None
    return f"{name}: {_REASONS.get((name, code), 'it failed')} (exit code {code})"


def _unit(environ: Mapping[str, str]) -> list[str]:
    """`systemd-run …` where the opener must be started by the user's service manager, else nothing."""
    if sys.platform != "linux" or _windows() or (_has_display(environ) and "INVOCATION_ID" not in environ):
        return []
    if not (run := shutil.which("systemd-run")) or not _has_display(_manager()):
        return []
    return [run, *_IN_A_UNIT, *_waiting(), "--"]


def _waiting() -> list[str]:
    """`--wait` tells how the opener ended. It needs the session bus; without one a started unit must be enough."""
    folder = {**os.environ, **paths.session_bus()}.get("XDG_RUNTIME_DIR", "")
    return ["--wait"] if os.environ.get("DBUS_SESSION_BUS_ADDRESS") or Path(folder, "bus").exists() else []


def _manager() -> dict[str, str]:
    """The environment that the user's service manager gives to what it starts: the desktop's, now. Or nothing."""
    try:
        shown = subprocess.run(
            _SHOW_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_MANAGER_SECONDS,
            check=True,
            env=_scrubbed(os.environ),
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    lines = shown.decode(errors="replace").splitlines()
    return {name: value for name, found, value in (line.partition("=") for line in lines) if found}


def _windows() -> list[tuple[str, ...]]:
    """The openers of the Windows around us, in WSL; a container on WSL's kernel has none."""
    try:
        kernel = _KERNEL.read_text(encoding="utf-8").lower()
    except (OSError, ValueError):
        return []
    return [one for one in _WINDOWS if _which(one[0])] if "microsoft" in kernel else []


def _which(name: str) -> str | None:
    """The program as our PATH finds it, or in WSL Windows' own folder: a service's PATH lacks it."""
    name = os.path.expanduser(name)  # noqa: PTH111 - a word of argv
    return shutil.which(name) or (shutil.which(name, path=_WINDOWS_PATH) if name.endswith(".exe") else None)


def _has_display(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) for name in _DISPLAYS)


def _over_ssh(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))


def _scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    return dict(_kept(environ)) | paths.session_bus()


def _kept(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return (
        (name, value)
        for name, value in environ.items()
        if name not in _SERVICE and not name.startswith(_SERVICE_PREFIXES)
    )
