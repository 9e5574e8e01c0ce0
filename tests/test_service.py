"""What keeps the watcher running. The managers' own programs are the seam: stand-ins that answer as they do."""

from __future__ import annotations

import configparser
import os
import plistlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import homes
import pytest
from homes import wait_for

from ssowatch import service, serving
from ssowatch.service import CannotError, Condition, by_hand, kind, launchd, systemd

PROGRAMS = ["/usr/local/bin/ssowatch", "/home/a b/.local/bin/ssowatch", "/opt/100%/ssowatch", "/opt/<&>/ssowatch"]


def stand_in(home: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> Path:
    """A program called `name`, alone on the PATH beside the system's; it writes its words to a file."""
    place = home / "bin" / name
    place.parent.mkdir(exist_ok=True)
    place.write_text(f'#!/bin/sh\necho "$*" >> "{home}/called"\n{script}\n')
    place.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place.parent}:/usr/bin:/bin")
    return place


def called(home: Path) -> list[str]:
    path = home / "called"
    return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def bare(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home on a machine without any service manager."""
    (home / "bin").mkdir()
    monkeypatch.setenv("PATH", str(home / "bin"))
    return home


# the contract

ABSENT = [pytest.param(one, id=one.name) for one in service.KINDS]


@pytest.mark.parametrize("one", ABSENT)
def test_a_kind_that_is_not_here_says_so_and_harms_nothing(bare, one):
    assert one.is_here() is (one is service.KINDS[-1])
    found = one.standing()
    assert found.condition is Condition.MISSING
    assert found.lines[0]
    assert found.fix
    assert one.uninstall() == []
    assert one.starts() is None
    assert one.environment() is None
    with pytest.raises(CannotError) as raised:
        one.restart()
    assert raised.value.fix
    assert not called(bare)


def test_what_a_service_starts_and_what_it_gives(bare, monkeypatch):
    for one in service.KINDS[:2]:
        assert one.starts() is None
    unit = bare / ".config/systemd/user/ssowatch.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(systemd.filled("/opt/my ssowatch"))
    agent = bare / "Library/LaunchAgents/io.github.ssowatch.plist"
    agent.parent.mkdir(parents=True)
    agent.write_text(launchd.filled("/opt/my ssowatch"))
    assert [one.starts() for one in service.KINDS] == ["/opt/my ssowatch", "/opt/my ssowatch", None]
    agent.write_text("no plist")
    assert service.KINDS[1].starts() is None
    stand_in(bare, monkeypatch, "systemctl", """printf '%s\\n' LANG=C "HTTPS_PROXY=$'http://it\\'s'" odd""")
    assert service.KINDS[0].environment() == {"LANG": "C", "HTTPS_PROXY": "http://it's"}


def test_the_last_is_what_remains(bare):
    assert service.here() is service.KINDS[-1]


def test_names_are_different():
    assert len({one.name for one in service.KINDS}) == len(service.KINDS)


# the files


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_unit_starts_this_program(program, tmp_path):
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string(systemd.filled(program))
    (argv,) = [shlex.split(parser["Service"]["ExecStart"])]
    assert [argv[0].replace("%%", "%"), *argv[1:]] == [program, "run"]
    (tmp_path / "unit").write_text(systemd.filled(program))
    assert systemd.program_in(str(tmp_path / "unit")) == program
    own = (Path(__file__).parents[1] / "systemd/ssowatch.service").read_text().splitlines()
    assert sum(a != b for a, b in zip(own, systemd.filled(program).splitlines(), strict=True)) == 1


@pytest.mark.parametrize("program", PROGRAMS)
def test_systemd_can_read_it(program, tmp_path):
    if not shutil.which("systemd-analyze"):
        assert not homes.REQUIRED
        pytest.skip("no systemd-analyze here")
    place = tmp_path / program[1:]  # the file must be there, and executable
    place.parent.mkdir(parents=True)
    shutil.copy("/bin/true", place)
    unit = tmp_path / "ssowatch.service"
    unit.write_text(systemd.filled(str(place)))
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", unit],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_agent_starts_this_program(home, program):
    agent = plistlib.loads(launchd.filled(program).encode())
    assert agent["ProgramArguments"] == [program, "run"]
    assert agent["StandardErrorPath"] == f"{home}/Library/Logs/ssowatch.log"


# which program


def test_the_program_is_the_one_that_was_called(home, monkeypatch):
    place = stand_in(home, monkeypatch, "ssowatch", "")
    monkeypatch.setattr(sys, "argv", [str(place), "setup"])
    assert service.program() == str(place)


def test_a_program_in_a_cache_is_refused(home, monkeypatch):
    place = home / ".cache/uv/archive-v0/x/bin/ssowatch"
    place.parent.mkdir(parents=True)
    place.write_text("#!/bin/sh\n")
    place.chmod(0o755)
    link = home / "ssowatch"
    link.symlink_to(place)
    monkeypatch.setattr(sys, "argv", [str(link), "setup"])
    with pytest.raises(CannotError, match="cache") as raised:
        service.program()
    assert "pipx install ssowatch" in raised.value.fix


def test_no_program_is_said(bare, monkeypatch):
    monkeypatch.setattr(kind.sysconfig, "get_path", lambda _: str(bare / "nowhere"))
    with pytest.raises(CannotError, match="not found"):
        service.program()


# systemd's answers

STANDINGS = [
    # what, answer of `show`, condition, in the first line, in the mend
    ("not installed", "LoadState=not-found\nActiveState=inactive", Condition.MISSING, "not installed", "install"),
    ("masked", "LoadState=masked\nActiveState=inactive", Condition.MISSING, "masked", "unmask ssowatch.service"),
    (
        "running",
        "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nMainPID=42\nStatusText=corp valid",
        Condition.RUNNING,
        "running (pid 42)",
        None,
    ),
    (
        "running, not enabled",
        "LoadState=loaded\nActiveState=active\nUnitFileState=disabled\nMainPID=42",
        Condition.RUNNING,
        "running",
        "systemctl --user enable",
    ),
    (
        "a wrong config",
        "LoadState=loaded\nActiveState=failed\nResult=exit-code\nExecMainStatus=78",
        Condition.STOPPED,
        "config",
        "ssowatch config check",
    ),
    (
        "it fails again and again",
        "LoadState=loaded\nActiveState=activating\nResult=exit-code\nExecMainStatus=203\nNRestarts=7",
        Condition.STOPPED,
        "started again 7 times",
        "service logs",
    ),
    (
        "stopped by somebody",
        "LoadState=loaded\nActiveState=inactive\nResult=success\nExecMainStatus=0",
        Condition.STOPPED,
        "stopped",
        "service restart",
    ),
    ("no answer", "Failed to connect to bus: No medium found", Condition.MISSING, "not installed", "install"),
]


@pytest.mark.parametrize(("what", "answer", "condition", "first", "fix"), STANDINGS, ids=[row[0] for row in STANDINGS])
def test_standing_of_a_unit(home, monkeypatch, what, answer, condition, first, fix):
    stand_in(home, monkeypatch, "systemctl", f"cat <<'END'\n{answer}\nEND")
    found = systemd.UserUnit().standing()
    assert found.condition is condition
    assert first in found.lines[0]
    assert (fix in found.fix) if fix else found.fix is None


def test_a_masked_unit_stays_masked(home, monkeypatch):
    stand_in(home, monkeypatch, "systemctl", "echo LoadState=masked")
    with pytest.raises(CannotError, match="masked"):
        systemd.UserUnit().install("/opt/ssowatch")
    assert not [line for line in called(home) if "show" not in line]
    assert not (home / ".config").exists()


def test_a_home_that_cannot_be_written_is_said(home, monkeypatch):
    stand_in(home, monkeypatch, "systemctl", "echo LoadState=not-found")
    (home / ".config").write_text("a file where a folder is needed")
    with pytest.raises(CannotError, match=r"~/\.config/systemd/user/ssowatch\.service cannot be written"):
        systemd.UserUnit().install("/opt/ssowatch")


def test_a_unit_of_another_program_is_replaced_and_said(home, monkeypatch):
    stand_in(home, monkeypatch, "systemctl", "echo LoadState=loaded; echo UnitFileState=enabled; echo MainPID=42")
    file = home / ".config/systemd/user/ssowatch.service"
    file.parent.mkdir(parents=True)
    file.write_text(systemd.filled("/old/ssowatch"))
    said = systemd.UserUnit().install("/new/ssowatch")
    assert "/old/ssowatch" in said[0]
    assert file.read_text() == systemd.filled("/new/ssowatch")
    assert "--user restart ssowatch.service" in called(home)


# launchd's answers

LAUNCHCTL = """
case "$1 $(cat "$HOME/loaded" 2>/dev/null)" in
"print-disabled "*) cat "$HOME/disabled" 2>/dev/null ;;
"bootstrap yes") echo "Bootstrap failed: 5: Input/output error"; exit 5 ;;
"bootstrap "*) echo yes > "$HOME/loaded" ;;
"bootout yes") rm "$HOME/loaded" ;;
"bootout "*) echo "Boot-out failed: 3: No such process"; exit 3 ;;
"print yes") printf 'x = {\\n\\tstate = running\\n\\tpid = 42\\n}\\n' ;;
"print "*) echo "Could not find service"; exit 113 ;;
esac
"""


@pytest.fixture
def mac(home, monkeypatch):
    """A home on a Mac, as far as `launchctl` goes."""
    stand_in(home, monkeypatch, "launchctl", LAUNCHCTL)
    return home


def test_an_agent_from_nothing_to_nothing(mac):
    agent, file = launchd.LaunchAgent(), mac / "Library/LaunchAgents/io.github.ssowatch.plist"
    assert "wrote ~/Library/LaunchAgents" in agent.install("/opt/ssowatch")[0]
    assert plistlib.loads(file.read_bytes())["ProgramArguments"] == ["/opt/ssowatch", "run"]
    assert agent.standing().lines[0] == "running (pid 42)"
    assert agent.install("/opt/ssowatch") == ["it is in place and runs: nothing to do"]
    assert agent.restart() == ["started it"]
    assert agent.install("/other/ssowatch") != []
    assert agent.standing().condition is Condition.RUNNING
    assert any("removed" in line for line in agent.uninstall())
    assert not file.exists()
    assert agent.uninstall() == []
    assert f"bootstrap gui/{os.getuid()} {file}" in called(mac)


def test_an_agent_that_was_switched_off_stays_off(mac):
    (mac / "disabled").write_text('disabled services = {\n\t"io.github.ssowatch" => disabled\n}\n')
    with pytest.raises(CannotError, match="disabled") as raised:
        launchd.LaunchAgent().install("/opt/ssowatch")
    assert "launchctl enable gui/" in raised.value.fix


# no manager

WAYS = [
    # what, environment, systemctl answers, in the reason, in the mend
    (
        "WSL without systemd",
        {"WSL_DISTRO_NAME": "Ubuntu"},
        None,
        "WSL",
        ["[boot]", "systemd=true", "wsl.exe --shutdown"],
    ),
    ("a container", {"container": "podman"}, None, "container", ["on the host", "  ssowatch run"]),
    ("no session", {}, "exit 1", "systemd runs no session for this user (no bus)", ["not by su"]),
    ("a plain shell", {}, None, "neither systemd nor launchd", []),
]


@pytest.mark.parametrize(("what", "environ", "answer", "why", "fix"), WAYS, ids=[row[0] for row in WAYS])
def test_the_way_that_works(bare, monkeypatch, tmp_path, what, environ, answer, why, fix):
    monkeypatch.setattr(by_hand, "_KERNEL", tmp_path / "osrelease")
    monkeypatch.setattr(by_hand, "_CONTAINERS", ())
    for name in ("WSL_DISTRO_NAME", "container"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", [str(stand_in(bare, monkeypatch, "ssowatch", "")), "service"])
    monkeypatch.setattr(systemd, "_BOOTED", bare)
    if answer:
        stand_in(bare, monkeypatch, "systemctl", f"echo no bus; {answer}")
    else:
        monkeypatch.setenv("PATH", str(bare / "bin"))
    with pytest.raises(CannotError) as raised:
        serving.install()
    assert why in str(raised.value)
    assert all(one in raised.value.fix for one in fix), raised.value.fix
    assert f"  (setsid {bare}/bin/ssowatch run </dev/null >/dev/null 2>&1 &)" in raised.value.fix.splitlines()


def test_the_line_for_the_profile_works_and_a_second_log_in_does_no_harm(home):
    """What is printed is put into a shell, which does not wait for it."""
    runner = home / "a b" / "ssowatch"
    runner.parent.mkdir()
    runner.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ssowatch "$@"\n')
    runner.chmod(0o755)
    (line,) = re.findall(r"^  (\(setsid .*)$", by_hand.cannot(str(runner)).fix, re.MULTILINE)
    subprocess.run(["sh", "-c", line], check=True, timeout=60)
    pid = wait_for(serving.published.running_watcher, "a watcher runs", 60)
    try:
        _, found = serving.standing()
        assert found.running
        assert f"pid {pid}" in found.lines[0]
        again = subprocess.run([runner, "run"], check=True, timeout=60, capture_output=True, text=True)
        assert again.stdout == f"ssowatch: already running (pid {pid})\n"
    finally:
        assert serving.end_watcher() == [f"ended the watcher that ran without the service (pid {pid})"]
    assert serving.end_watcher() == []


def test_sudo_is_refused(home, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "ada")
    with pytest.raises(CannotError, match="root's sign-ins"):
        serving.install()


# the command

SAID = [
    # what, words, exit code, in its output
    ("installed nowhere", ["install"], 1, "setsid"),
    ("restarted without one", ["restart"], 1, "setsid"),
    ("removed twice", ["uninstall"], 0, "nothing to do"),
    ("asked how it is", ["status"], 1, "no service manager: "),
    ("its logs", ["logs"], 1, "ssowatch run"),
    ("no word", [], 2, "install|uninstall|restart|status|logs"),
    ("a wrong word", ["start"], 2, "invalid choice"),
]


@pytest.mark.parametrize(("what", "words", "code", "said"), SAID, ids=[row[0] for row in SAID])
@pytest.mark.parametrize("columns", ["50", "80"])
def test_the_command_where_there_is_no_manager(bare, what, words, code, said, columns):
    done = homes.ssowatch("service", *words, COLUMNS=columns)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    prose = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith(" ")]
    if code != 2:
        assert max(map(len, prose)) <= int(columns)
