"""`ssowatch login` and `logout`, with real flows and a simulated portal; and the notice that asks first."""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import timedelta

import homes
import pytest
from callers import PATIENCE, caller, end_flows, opened, tabs, with_browser, without_browser
from homes import ssowatch, wait_for
from simulator.faults import Fault, Kind
from simulator.person import Person
from simulator.server import Simulator

from ssowatch import flows, memories, memory, pauses
from ssowatch.clock import utc_now
from ssowatch.flow_record import Stage

pytestmark = pytest.mark.real
TWO = (
    homes.CONFIG
    + """
[sso-session lab]
sso_start_url = https://d-0987654321.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
"""
)


@pytest.fixture
def center(home, monkeypatch):
    """A portal, two sign-ins, and a BROWSER that writes down what it is to open."""
    homes.aws_config(home, TWO)
    with_browser(home, monkeypatch)
    with Simulator() as simulator:
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        yield simulator
        end_flows("corp", "lab")


def operations(center):
    return [call.operation for call in center.calls()]


# A person


def test_it_asks_the_person_even_when_the_token_is_good(center, home):
    for number in (1, 2):
        with caller(home, "login", "dev") as running:
            running.until_said("your browser asks you to sign in at https://d-1234567890.awsapps.com/start.")
            Person().decide(opened(home, number))
            assert running.ended() == 0
            assert "corp: signed in" in running.said()
    assert [call.outcome for call in center.calls("AuthorizeForm")].count("allowed") == 2
    assert operations(center).count("RegisterClient") == 1


def test_who_goes_on_after_it_and_who_asks(center, home, channel):
    server = {"command": "uvx", "args": ["awslabs.x"], "env": {"AWS_PROFILE": "dev"}}
    (home / ".cursor").mkdir()
    (home / ".cursor" / "mcp.json").write_text(json.dumps({"mcpServers": {"kb": server}}))
    assert ssowatch("mcp", "servers").returncode == 0
    with caller(home, "ensure", "dev") as program:
        wait_for(lambda: notices(home), "the notice", PATIENCE)
        assert "kb (Cursor)" in notices(home)[0]["message"]
        with caller(home, "login", "dev") as running:
            Person().decide(opened(home))
            assert (running.ended(), program.ended()) == (0, 0)
            assert running.said().endswith("kb (Cursor) goes on by itself.\n")


def test_it_asks_for_the_scopes_of_the_config(center, home):
    both = "sso:account:access, codewhisperer:analysis"
    homes.aws_config(home, TWO.replace("sso:account:access", both, 1))
    with caller(home, "login", "dev") as running:
        Person().decide(opened(home))
        assert running.ended() == 0
    (registered,) = center._center._state.registrations._known.values()
    assert registered.scopes == ("sso:account:access", "codewhisperer:analysis")


OUTCOMES = [
    # id, what the person or the network does, exit code, words
    ("denied", lambda link: Person().decide(link, "Deny"), 1, "denied"),
]


@pytest.mark.parametrize(("does", "code", "words"), [row[1:] for row in OUTCOMES], ids=[row[0] for row in OUTCOMES])
def test_other_outcomes(center, home, does, code, words):
    with caller(home, "login", "corp") as running:
        does(opened(home))
        assert running.ended() == code
        assert words in running.said()
    assert not homes.token_path().exists()


def test_no_network_opens_no_tab(center, home):
    center.add_fault(Fault(Kind.DOWN))
    answer = ssowatch("login", "corp", timeout=120)
    assert answer.returncode == 75, answer.stderr
    assert tabs(home) == []


def test_ctrl_c_leaves_the_sign_in_open_and_says_how_to_come_back(center, home):
    with caller(home, "login", "corp") as first:
        first.until_said("No window?")
        first.process.send_signal(signal.SIGINT)
        assert first.ended() == 130
        assert "ssowatch login corp joins it again" in first.said()
    with caller(home, "login", "corp", "--fresh") as second:
        said = second.until_said("No window?")
        assert "joining the sign-in that is already under way; it is an ordinary one" in said
        assert "ending" not in said
        Person().decide(opened(home))
        assert second.ended() == 0
    assert len(tabs(home)) == 1


def test_lines_of_json(center, home):
    with caller(home, "login", "corp", "--json") as running:
        running.until_said("waiting")
        Person().decide(opened(home))
        assert running.ended() == 0
        *steps, last = map(json.loads, running.said().splitlines())
    waiting = steps[-1]
    assert waiting == {"name": "corp", "event": "waiting", "link": opened(home), "code": None}
    assert (last["name"], last["outcome"]) == ("corp", "signed_in")
    assert last["who"] in {"someone", None}  # who it is has four seconds to be found out in


def test_a_fresh_sign_in_ends_the_old_one_first_and_says_for_whom(center, home):
    homes.write_token(center.sign_in())
    with caller(home, "login", "corp", "--fresh") as running:
        Person().decide(opened(home))
        assert running.ended() == 0
        assert "ending the present sign-in, which dev, prod use" in running.said()
    assert operations(center).index("Logout") < operations(center).index("AuthorizePage")


# Without a browser


def test_over_ssh_a_code_is_shown_and_how_to_do_without(center, home, monkeypatch):
    without_browser(monkeypatch)
    with caller(home, "login", "corp", BROWSER="") as running:
        running.until_said("Ctrl-C")
        record = flows.running("corp")
        lines = [line.strip() for line in running.said().splitlines()]
        assert lines[0].startswith(
            "corp: to sign in at https://d-1234567890.awsapps.com/start, open this in any browser"
        )
        assert record.code in lines[0]
        assert lines[1] == record.link
        host, port = os.uname().nodename, 26000 + os.getuid() % 1000
        assert f"Or without a code: run on your own machine: ssh -L {port}:127.0.0.1:{port} {host}" in lines
        assert "and then here: ssowatch login corp --method pkce --no-browser" in lines
        Person().decide(record.link)
        assert running.ended() == 0
    assert tabs(home) == []


def test_pkce_through_a_tunnel(center, home, monkeypatch):
    without_browser(monkeypatch)
    with caller(home, "login", "corp", "--method", "pkce", "--no-browser") as running:
        said = running.until_said("Ctrl-C")
        port = 26000 + os.getuid() % 1000
        assert f"Run there first: ssh -L {port}:127.0.0.1:{port} " in said
        link = flows.running("corp").link
        assert link.startswith(f"http://127.0.0.1:{port}/")
        assert link in said
        Person().decide(link)
        assert running.ended() == 0


def test_a_browser_that_fails_leaves_the_link(center, home):
    broken = home / "broken"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    with caller(home, "login", "corp", BROWSER=str(broken)) as running:
        said = running.until_said("No browser was opened")
        assert "open this in a browser on this machine" in said
        Person().decide(flows.running("corp").link)
        assert running.ended() == 0


def test_what_nobody_asked_for_never_shows_a_code(center, home, monkeypatch):
    without_browser(monkeypatch)
    answer = ssowatch("login", "corp", "--unasked", "--json")
    assert answer.returncode == 1
    assert json.loads(answer.stdout)["message"].startswith("there is no browser here")
    assert operations(center) == []


def test_unasked_does_nothing_where_nothing_is_needed(center, home):
    homes.write_token(center.sign_in())
    answer = ssowatch("login", "corp", "--unasked", "--json")
    assert (answer.returncode, json.loads(answer.stdout)["outcome"]) == (0, "signed_in")
    assert tabs(home) == []


# One tab at a time


def test_the_second_sign_in_waits_for_its_turn(center, home):
    with caller(home, "login", "corp") as corp, caller(home, "login", "lab") as lab:
        first = opened(home)
        name = flows.whose_turn()
        (lab if name == "corp" else corp).until_said(f"the sign-in of {name} is open")
        assert len(tabs(home)) == 1
        Person().decide(first)
        Person().decide(opened(home, 2))
        assert (corp.ended(), lab.ended()) == (0, 0)


# The user's own command

SIGNS_IN = "import json, os, sys; os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True); open(sys.argv[1], 'w').write(sys.argv[2])"
COMMANDS = [
    # id, program, exit code, words
    ("signs in", "{signs_in}", 0, "signed in by"),
    ("fails", "print('no such portal'); sys.exit(3)", 1, "exit code 3: no such portal"),
    ("leaves no token", "pass", 1, "left no new token"),
    ("is not there", None, 1, "cannot be started"),
]


@pytest.mark.parametrize(("program", "code", "words"), [row[1:] for row in COMMANDS], ids=[row[0] for row in COMMANDS])
def test_method_command(center, home, monkeypatch, program, code, words):
    (home / "program.py").write_text(
        f"import os, sys\nassert 'AWS_PROFILE' not in os.environ\n{(program or '').replace('{signs_in}', SIGNS_IN)}"
    )
    argv = [sys.executable, str(home / "program.py"), str(homes.token_path()), json.dumps(center.sign_in())]
    argv = argv if program else ["/nowhere/program"]
    homes.own_config(home, f"sign_ins: {{corp: {{login: {{method: command, command: {json.dumps(argv)}}}}}}}\n")
    homes.token_path().unlink(missing_ok=True)
    monkeypatch.setenv("AWS_PROFILE", "somebody-else")
    answer = ssowatch("login", "corp", timeout=PATIENCE)
    said = answer.stdout + answer.stderr
    assert (answer.returncode, words in said) == (code, True), said
    assert tabs(home) == []


def test_a_command_needs_one_in_the_config(center):
    answer = ssowatch("login", "corp", "--method", "command")
    assert (answer.returncode, "no login command" in answer.stderr) == (2, True)


# Asked first: no terminal, no watcher


@pytest.fixture
def channel(home):
    """Notices through a command, which writes them down; what stands in `press` is the button that is pressed."""
    program = home / "tell"
    program.write_text(f'#!/bin/sh\ncat >> "{home}/notices"\ncat "{home}/press" 2>/dev/null\nexit 0\n')
    program.chmod(0o755)

    def config(more=""):
        homes.own_config(
            home, f"notify: [{{command: ['{program}']}}]\nquiet: {{when_locked: false, when_idle: false}}\n{more}"
        )

    config()
    return config


def notices(home):
    place = home / "notices"
    return [json.loads(line) for line in place.read_text().splitlines()] if place.exists() else []


def test_a_program_asks_by_one_notice_that_stays(center, home, channel):
    for _ in range(3):
        answer = ssowatch("ensure", "dev", "--timeout", "1s")
        assert (answer.returncode, "nobody signed in within 1s" in answer.stderr) == (1, True), answer.stderr
    wait_for(lambda: notices(home), "the notice is shown")
    assert [(one["event"], one["sign_in"]["name"], one["buttons"]) for one in notices(home)] == [
        ("login_required", "corp", ["Sign in", "Not today"])
    ]
    assert tabs(home) == []
    homes.write_token(center.sign_in())  # by another way: the notice goes
    wait_for(lambda: not flows.alive("corp"), "the flow ended", PATIENCE)
    assert flows.read("corp").outcome == "signed_in"


def test_the_button_opens_the_tab_and_the_program_goes_on(center, home, channel):
    (home / "press").write_text("Sign in\n")
    with caller(home, "exec", "dev", "--", "echo", "on it goes") as running:
        Person().decide(opened(home))
        assert running.ended() == 0
        assert running.said() == "on it goes\n"
    assert len(notices(home)) == 1


def test_not_today_is_an_answer(center, home, channel):
    (home / "press").write_text("Not today\n")
    for _ in range(2):
        answer = ssowatch("ensure", "dev")
        assert (answer.returncode, "Not today" in answer.stderr) == (1, True), answer.stderr
    assert len(notices(home)) == 1


def test_auto_opens_its_one_tab_at_once(center, home, channel):
    channel("mode: auto\n")
    with caller(home, "ensure", "dev") as running:
        Person().decide(opened(home), "Deny")
        assert running.ended() == 1
    assert notices(home) == []
    assert memories.load("corp").lineage.tab_failed
    for _ in range(2):
        assert "denied" in ssowatch("ensure", "dev").stderr  # the cooldown
    memories.update("corp", memory.human_act)
    assert ssowatch("ensure", "dev", "--timeout", "1s").returncode == 1
    wait_for(lambda: notices(home), "the notice, which may come after this caller left", PATIENCE)
    assert (len(tabs(home)), len(notices(home))) == (1, 1)


def test_a_person_at_a_terminal_takes_over_from_the_notice(center, home, channel):
    with caller(home, "ensure", "dev") as program:
        wait_for(lambda: notices(home), "the notice is shown", PATIENCE)
        with caller(home, "login", "dev") as person:
            Person().decide(opened(home))
            assert (person.ended(), program.ended()) == (0, 0)


def test_where_no_notice_can_be_shown_the_answer_comes_at_once(center, home, channel):
    homes.own_config(home, "notify: [{command: [/nowhere/tell]}]\n")
    answer = ssowatch("ensure", "dev", timeout=PATIENCE)
    assert (answer.returncode, "no notice can be shown here" in answer.stderr) == (1, True), answer.stderr


def test_a_pause_is_an_answer(center, home, channel):
    pauses.set(None, utc_now() + timedelta(hours=1))
    answer = ssowatch("ensure", "dev")
    assert (answer.returncode, "paused until" in answer.stderr) == (1, True), answer.stderr
    assert notices(home) == []


# Its end


def test_a_flow_ends_cleanly_on_sigterm(center, home):
    with caller(home, "login", "corp") as running:
        opened(home)
        record = wait_for(
            lambda: (one := flows.running("corp")) and one.stage is Stage.WAITING and one, "it waits", PATIENCE
        )
        os.kill(record.pid, signal.SIGTERM)
        assert running.ended() == 1
        assert "cancelled" in running.said()
    wait_for(lambda: not flows.alive("corp"), "it ended", PATIENCE)


def test_a_flow_that_is_killed_is_an_outage_and_no_second_tab(center, home):
    with caller(home, "login", "corp") as running, caller(home, "ensure", "dev", terminal=True) as other:
        opened(home)
        for one in (running, other):  # else the slower one would begin a flow of its own
            one.until_said("No window?")
        os.kill(flows.running("corp").pid, signal.SIGKILL)
        assert (running.ended(), other.ended()) == (75, 75)
    assert len(tabs(home)) == 1


def test_logout_ends_this_sign_in_alone(center, home):
    homes.write_token(center.sign_in())
    homes.write_token(center.sign_in(), "lab")
    answer = ssowatch("logout", "dev")
    assert (answer.returncode, answer.stdout.startswith("corp: signed out")) == (0, True), answer.stderr
    assert not homes.token_path().exists()
    assert homes.token_path("lab").exists()
    assert operations(center) == ["Logout"]


def test_logout_ends_a_sign_in_under_way(center, home):
    with caller(home, "login", "corp") as running:
        running.until_said("No window?")
        assert ssowatch("logout", "corp").returncode == 0
        assert running.ended() == 1


WRONG = [
    ("unknown", ["login", "nope"], "", 2, "known: corp, lab, dev, prod"),
    ("unknown to logout", ["logout", "nope"], "", 2, "no sign-in or profile is called nope"),
    ("our config is wrong", ["login", "corp"], "mode: bogus", 78, "config.yaml line 1"),
    ("a flow without its lock", ["login", "corp", "--flow", "0"], "", 2, ""),
]


@pytest.mark.parametrize(
    ("arguments", "own", "code", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_what_is_wrong(center, home, arguments, own, code, words):
    homes.own_config(home, own)
    answer = ssowatch(*arguments)
    said = answer.stdout + answer.stderr
    assert (answer.returncode, words in said, "Traceback" in said) == (code, True, False), said
