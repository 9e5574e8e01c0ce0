"""The two files that start the service, judged by what reads them."""

import configparser
import os
import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from ssowatch import durations, heartbeat
from ssowatch.settings import Settings

TOP = Path(__file__).parent.parent
UNIT = TOP / "systemd" / "ssowatch.service"
AGENT = TOP / "launchd" / "io.github.ssowatch.plist"

AGENT_KEYS = {
    "Label": str,
    "ProgramArguments": list,
    "RunAtLoad": bool,
    "KeepAlive": dict,
    "ThrottleInterval": int,
    "ExitTimeOut": int,
    "ProcessType": str,
    "LimitLoadToSessionType": str,
    "EnvironmentVariables": dict,
    "StandardErrorPath": str,
    "Umask": int,
    "SoftResourceLimits": dict,
}
"""Those of launchd.plist(5) that we use; launchd ignores a misspelt key without a word."""

INHERITED = [
    "NoNewPrivileges",
    "SystemCallFilter",
    "SystemCallArchitectures",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "PrivateTmp",
    "PrivateUsers",
    "PrivateDevices",
    "ProtectSystem",
    "ProtectHome",
]
"""Options that would follow a browser started by the service."""


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string(UNIT.read_text())
    return parser


def test_unit_starts_again_for_ever_except_after_a_configuration_error():
    service = unit()["Service"]
    assert unit()["Unit"]["StartLimitIntervalSec"] == "0"
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "78"
    assert float(service["RestartSec"]) >= 1
    assert unit()["Install"]["WantedBy"] == "default.target"


def test_unit_is_watched_with_room_for_a_lost_heartbeat_and_less_than_a_renewal_has():
    service = unit()["Service"]
    assert service["Type"] == "notify"
    allowed = durations.parse(service["WatchdogSec"].removesuffix("in"))
    assert 2 * heartbeat.SLOW < allowed < Settings().refresh_before


def test_unit_leaks_nothing_and_imprisons_no_child():
    service = unit()["Service"]
    assert service["LimitCORE"] == "0"
    assert service["UMask"] == "0077"
    assert service["KillMode"] == "process"
    assert not [option for option in INHERITED if option in service]


def test_systemd_finds_nothing_to_say(tmp_path):
    """An unknown key is exit 0 and a line of text, so any output at all is a failure."""
    if not shutil.which("systemd-analyze"):
        if os.environ.get("SSOWATCH_CI") == "1":
            pytest.fail("CI must have systemd-analyze")
        pytest.skip("no systemd-analyze here")
    copy = tmp_path / UNIT.name
    started = unit()["Service"]["ExecStart"]
    copy.write_text(UNIT.read_text().replace(f"ExecStart={started}", f"ExecStart={shutil.which('true')} run"))
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    command = ["systemd-analyze", "--user", "verify", copy]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_agent_has_only_keys_that_launchd_knows_with_the_types_it_reads():
    agent = plistlib.loads(AGENT.read_bytes())
    assert {key: type(value) for key, value in agent.items()} == AGENT_KEYS
    assert agent["Label"] == AGENT.stem
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["RunAtLoad"] is True
    assert agent["Umask"] == 0o077
    assert agent["SoftResourceLimits"] == {"Core": 0}
    assert agent["ProcessType"] == "Standard"
    program, *arguments = agent["ProgramArguments"]
    assert program.startswith("/")
    assert arguments == ["run"]
    assert all(isinstance(value, str) for value in agent["EnvironmentVariables"].values())
    assert plistlib.loads(plistlib.dumps(agent)) == agent


def test_both_start_the_same_command():
    program, *arguments = unit()["Service"]["ExecStart"].split()
    assert Path(program).name == Path(plistlib.loads(AGENT.read_bytes())["ProgramArguments"][0]).name == "ssowatch"
    assert arguments == ["run"]
