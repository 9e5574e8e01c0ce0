"""Real MCP servers behind the official client: they do not fail while ssowatch watches, and wait when a person is needed.

Three servers, because an error reaches a client in three ways (`tests/real/mcp/*.txt` has the versions), and
mcp-proxy-for-aws, which breaks when it starts with a token that ran out. Their AWS is `aws_services.py`; clock and
Identity Center are those of the other real tests.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from real import aws_services
from real.aws_services import VENVS
from real.machine import Program, until

pytestmark = [pytest.mark.real, pytest.mark.mcp]

IN_CI = os.environ.get("SSOWATCH_CI") == "1"
TESTS = Path(__file__).parents[1]
CLIENT = Path(__file__).parent / "mcp/client_program.py"
SERVERS = {
    # how an error reaches the client: environment, program, a tool and its arguments, what a good result has
    "visible": ("iam_visible", "awslabs.iam-mcp-server", "list_groups", {}, "groups"),
    "masked": ("iam_masked", "awslabs.iam-mcp-server", "list_groups", {}, "groups"),
    "a result": ("sqs", "awslabs.amazon-sns-sqs-mcp-server", "list_queues", {}, "{"),
}
LONG = {"session_length": timedelta(hours=20)}
HOUR = timedelta(hours=1)


@pytest.fixture(scope="session", autouse=True)
def installed():
    """What `scripts/test mcp` installs."""
    for name in ("client", "moto", "proxy", *(row[0] for row in SERVERS.values())):
        if not (VENVS / name / "installed-for.txt").exists():
            assert not IN_CI, f"scripts/test mcp installs {name}"
            pytest.skip(f"{name} is not installed: scripts/test mcp does it")


@pytest.fixture
def services(machine):
    with aws_services.running(machine.simulator.url) as services:
        machine.environ |= {
            **services.environ,
            "AWS_PROFILE": "dev",
            "AWS_REGION": "us-east-1",
            "FASTMCP_LOG_LEVEL": "ERROR",
        }
        machine.clients = []  # not among its programs, none of which may say "Traceback": these servers do
        yield services
        for client in machine.clients:
            client.kill()


@pytest.fixture(params=SERVERS)
def server(request):
    return SERVERS[request.param]


class Client(Program):
    """The official client with a server of its own."""

    def __init__(self, machine, folder, server, *, wrapped=(), name="claude-code"):
        venv, program, self.tool, self.arguments, self.good = server
        command = [VENVS / "client/bin/python", CLIENT, name]
        if wrapped is not None:
            command += [sys.executable, "-m", "ssowatch", "mcp", "wrap", *wrapped, "--"]
        super().__init__([*command, *program_of(venv, program)], machine.environ, folder / f"{venv}.txt", -1)
        machine.clients.append(self)

    def said_next(self):
        line = self.process.stdout.readline()
        assert line, self.said()
        return json.loads(line)

    def begin(self):
        assert self.said_next()["server"]
        return self

    def send(self):
        self.process.stdin.write(json.dumps({"tool": self.tool, "arguments": self.arguments}) + "\n")
        self.process.stdin.flush()

    def call(self):
        self.send()
        return self.said_next()

    def works(self):
        """True, or the assertion says why not."""
        result = self.call()
        assert not result["failed"], f"{result}\n{self.said()[-3000:]}"
        assert self.good in result["texts"][0], result
        assert "error" not in result["texts"][0].lower(), result
        return True


def program_of(venv, words):
    first, *rest = words.split()
    return [VENVS / venv / "bin" / first, *rest]


def a_person(machine):
    """A notice is answered by its button, and the tab by a browser that allows."""
    tell, browser = machine.home / "tell", machine.home / "browser"
    tell.write_text(f'#!/bin/sh\ncat >> "{machine.home}/notices"\necho "Sign in"\n')
    browser.write_text(f'#!/bin/sh\nPYTHONPATH="{TESTS}" exec "{sys.executable}" -m simulator.person "$1"\n')
    for one in (tell, browser):
        one.chmod(0o755)
    config = f"heartbeat: 200ms\nnotify: [{{command: ['{tell}']}}]\nquiet: {{when_locked: false, when_idle: false}}\n"
    (machine.home / ".config/ssowatch/config.yaml").write_text(config)
    machine.environ |= {"BROWSER": str(browser)}


def notices(machine):
    place = machine.home / "notices"
    return place.read_text().splitlines() if place.exists() else []


@pytest.mark.parametrize("machine", [LONG], indirect=True)
def test_the_watcher_alone_keeps_a_server_working_over_twenty_ends(machine, services, folder, server):
    """A token lives an hour and is replaced after half of it, so from the second jump on each goes past the end of one, and
    past that of the role's keys."""
    config = "heartbeat: 200ms\nsign_ins: {corp: {length: 20h}}\n"
    (machine.home / ".config/ssowatch/config.yaml").write_text(config)
    machine.sign_in()
    machine.start_watcher()
    client = Client(machine, folder, server, wrapped=None).begin()
    began, calls = machine.clock.now(), 0
    machine.jump_to_renewal()
    for _ in range(20):
        machine.jump_to_renewal()
        machine.until_fresh()
        for _ in range(5):
            calls += client.works()
    assert machine.clock.now() - began > 10 * HOUR
    assert calls == 100
    assert client.lives()
    assert services.refused == 0
    assert machine.renewals_of_clients() == []


@pytest.mark.parametrize("watcher", [False, True], ids=["no watcher", "watcher"])
def test_a_call_waits_for_a_person_and_the_client_sees_nothing(machine, services, folder, server, watcher):
    a_person(machine)
    machine.sign_in()
    if watcher:
        machine.start_watcher()
    client = Client(machine, folder, server).begin()
    assert client.works()
    machine.simulator.end_session()
    machine.clock.jump(2 * HOUR)
    assert client.works()
    assert len(notices(machine)) >= 1
    assert client.works()


def test_revoked_keys_are_mended_by_a_restart(machine, services, folder, server):
    """These servers do not say that their tools are read-only, so the call that met it is not repeated."""
    machine.simulator.change(role_life=HOUR.total_seconds())
    machine.sign_in()
    client = Client(machine, folder, server).begin()
    assert client.works()
    services.revoke()
    result = client.call()
    assert "it was restarted" in result["texts"][-1], result
    assert client.works()
    assert services.refused >= 1


def test_a_proxy_that_starts_with_a_token_that_ran_out_initialises(machine, services, folder):
    machine.sign_in()
    machine.clock.jump(2 * HOUR)
    with aws_services.program("proxy", "http_server.py") as port:
        url = f"http://127.0.0.1:{port}/mcp"
        program = f"mcp-proxy-for-aws {url} --service foo --region us-east-1 --profile dev"
        client = Client(machine, folder, ("proxy", program, "hello", {}, "hello from far away")).begin()
        assert client.works()


def test_a_proxy_whose_sign_in_is_over_waits_for_a_person_when_it_starts(machine, services, folder):
    a_person(machine)
    machine.sign_in()
    machine.simulator.end_session()
    machine.clock.jump(2 * HOUR)
    with aws_services.program("proxy", "http_server.py") as port:
        url = f"http://127.0.0.1:{port}/mcp"
        program = f"mcp-proxy-for-aws {url} --service foo --region us-east-1 --profile dev"
        client = Client(machine, folder, ("proxy", program, "hello", {}, "hello from far away")).begin()
        assert client.works()


def test_a_call_at_night_is_answered_in_the_morning(machine, services, folder):
    """The sign-in ends at two, the call comes at ten past, the person at half past eight."""
    a_person(machine)
    (machine.home / "tell").write_text(f'#!/bin/sh\ncat >> "{machine.home}/notices"\n')  # nobody is there to press
    machine.clock.jump_to((machine.clock.now() + timedelta(days=1)).replace(hour=18, minute=0, second=0))
    machine.sign_in()
    machine.start_watcher()
    client = Client(machine, folder, SERVERS["visible"]).begin()
    assert client.works()
    machine.clock.jump_to((machine.clock.now() + timedelta(days=1)).replace(hour=2, minute=0, second=0))
    machine.simulator.end_session()
    machine.until(lambda corp: corp["state"] == "login_required", "the sign-in has ended")
    machine.clock.jump(timedelta(minutes=10))
    client.send()
    until(lambda: notices(machine), "a notice is shown")
    for _ in range(6):
        machine.clock.jump(HOUR)
        machine.until(lambda corp: corp["state"] == "login_required", "the night passes")
    machine.clock.jump(timedelta(minutes=20))
    assert client.lives()
    assert machine.ssowatch("login", "corp").returncode == 0
    result = client.said_next()
    assert not result["failed"], result
    assert "groups" in result["texts"][0]
    assert len(notices(machine)) == 1
