"""What a person who waits for a sign-in reads, and how the way to sign in is chosen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ssowatch import login_text, problems, ways
from ssowatch.flow_record import Record, Stage
from ssowatch.mcp.model import McpServer
from ssowatch.model import Kind, Problem, SignIn, TokenMemory

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
CORP = SignIn("corp", Kind.SSO_SESSION, "https://d-1.awsapps.com/start", "us-east-1", ("dev", "prod"))
LINK = "http://127.0.0.1:26000/once"
EVIL = "a\x1b[2Jb\u202ec\nd\r\x07"


def record(**changes):
    return Record(**{"id": "i", "name": "corp", "started_at": NOW, "stage": Stage.WAITING, "link": LINK, **changes})


WAYS = [
    # typed, config, a browser here, --no-browser: method, opens, chosen
    (None, None, True, False, ("pkce", True, False)),
    (None, None, False, False, ("device", False, False)),
    (None, None, True, True, ("pkce", False, False)),
    (None, "device", True, False, ("device", True, True)),
    (None, "pkce", False, False, ("pkce", False, True)),
    ("pkce", "device", True, False, ("pkce", True, True)),
    ("pkce", None, False, False, ("pkce", False, True)),
    ("device", "command", False, False, ("device", False, True)),
    (None, "command", False, False, ("command", False, True)),
]


@pytest.mark.parametrize(("typed", "configured", "here", "no_browser", "way"), WAYS)
def test_the_order_is_typed_config_browser_code(typed, configured, here, no_browser, way):
    chosen = ways.choose(typed, configured, here=here, no_browser=no_browser)
    assert (chosen.method, chosen.opens, chosen.chosen) == way


def test_the_port_of_a_tunnel_is_the_users_own_and_none_that_a_system_draws():
    assert {ways.tunnel_port(uid) for uid in (0, 1000, 4_294_967_294)} <= set(range(1024, 32768))
    assert [ways.tunnel_port(uid) for uid in (0, 999, 1000, 1001)] == [26000, 26999, 26000, 26001]


@pytest.mark.parametrize(
    ("environ", "remote"),
    [({}, False), ({"SSH_TTY": "/dev/pts/1"}, True), ({"SSH_CONNECTION": "a 1 b 2"}, True), ({"SSH_TTY": ""}, False)],
)
def test_who_came_over_ssh(environ, remote):
    assert ways.remote(environ) is remote


PROGRESS = [
    # id, record, over ssh, words, no words
    ("starting", record(stage=Stage.STARTING), False, [], [LINK]),
    ("asking", record(stage=Stage.ASKING), False, ["a notice on the desktop"], [LINK]),
    ("queued", record(stage=Stage.QUEUED), False, ["the sign-in of lab is open; this one comes next"], [LINK]),
    ("a browser", record(), False, ["your browser", CORP.start_url, LINK], ["ssh"]),
    ("a browser, and until when", record(deadline=NOW), False, ["Waiting until ", "Ctrl-C"], []),
    ("a code in a browser", record(method="device", code="ABCD-EFGH"), False, ["shows the code ABCD-EFGH"], ["ssh"]),
    ("a code", record(method="device", code="ABCD-EFGH", unopened=login_text.NOT_WANTED), False, ["any browser", "ABCD-EFGH", "Approve only what you began yourself"], ["ssh", "No browser was opened"]),
    ("a code over ssh", record(method="device", code="A", unopened=login_text.NOT_WANTED), True, ["ssh -L 26000:127.0.0.1:26000 box", "ssowatch login corp --method pkce --no-browser"], []),
    ("a link that is none, over ssh", record(link="http://127.0.0.1:99999/x", unopened=login_text.NOT_WANTED), True, ["http://127.0.0.1:99999/x", "ssh -L 26000:127.0.0.1:26000 box"], []),
    ("a link", record(unopened="xdg-open failed"), False, [LINK, "No browser was opened: xdg-open failed"], ["ssh"]),
    ("a link over ssh", record(unopened=login_text.NOT_WANTED, link="http://127.0.0.1:4711/x"), True, ["ssh -L 4711:127.0.0.1:4711 box"], []),
    ("a command", record(method="command", link=None), False, ["your own login command asks you"], ["None"]),
]  # fmt: skip


def test_aws_login_asks_at_no_portal_of_ours():
    console = SignIn("arn:aws:iam::111111111111:user/me", "login", "", "", ("console",))
    told = record(name=console.name, method="command", link=None)
    assert login_text.progress(told, console, None, None, 0)[0].endswith(
        "a page of AWS opens in your browser; sign in there."
    )


@pytest.mark.parametrize(
    ("told", "ssh", "words", "not_words"), [row[1:] for row in PROGRESS], ids=[row[0] for row in PROGRESS]
)
def test_progress(told, ssh, words, not_words):
    said = "\n".join(login_text.progress(told, CORP, "lab", "box" if ssh else None, 26000))
    assert [word for word in words if word not in said] == []
    assert [word for word in not_words if word in said] == []


def test_whose_tab_is_open_need_not_be_known():
    assert login_text.progress(record(stage=Stage.QUEUED), CORP, None, None, 0) == [
        "corp: the sign-in of another portal is open; this one comes next."
    ]


def test_a_link_without_end_is_cut():
    shown = login_text.progress(record(link="x" * 2001, unopened=login_text.NOT_WANTED), CORP, None, None, 0)
    assert shown[1] == "  " + "x" * 1999 + "…"


def test_names_and_addresses_move_no_cursor():
    evil = SignIn(EVIL, Kind.SSO_SESSION, f"https://{EVIL}", "us-east-1", (EVIL,))
    texts = [
        line
        for method in ("pkce", "device", "command")
        for stage in Stage
        for why in (None, EVIL)
        for line in login_text.progress(
            record(name=EVIL, method=method, stage=stage, code=EVIL, link=EVIL, unopened=why), evil, EVIL, EVIL, 1
        )
    ]
    texts += [
        login_text.joined(record(name=EVIL), fresh=True),
        login_text.ends_with_it(evil, [EVIL], [EVIL]),
        login_text.outcome(record(name=EVIL, outcome="denied", message=EVIL)),
        login_text.left_to_itself(EVIL, NOW),
        login_text.after([McpServer(EVIL, EVIL, EVIL)]),
        problems.login_command(evil),
    ]
    assert len(texts) > 20
    assert [text for text in texts if not text.isprintable()] == []


REFUSALS = [
    # memory, unmoved, message, fix
    (TokenMemory(refused="it was ended", refused_code=problems.FRESH), False, "it was ended; the token is dead", "sign in: ssowatch login corp"),
    (TokenMemory(refused="x", refused_code="ended", alive=True), False, "AWS refused to renew: x; the token still works until it runs out", "sign in again: ssowatch login corp"),
    (TokenMemory(refused="x", refused_code="ended", alive=False), False, "AWS refused to renew: x; the token is dead", "sign in again: ssowatch login corp"),
    (TokenMemory(refused="x", refused_code=None), False, "AWS refused to renew: x; the token may be dead", "sign in again: ssowatch login corp"),
    (TokenMemory(refused="x", refused_code="ended", alive=False), True, "AWS refused to renew: x; the token is dead; the fresh sign-in did not move the end, which is that of the browser's session at the portal", "sign in again: ssowatch login corp"),
    (TokenMemory(refused="x", refused_code="wrong_region", alive=True), False, "AWS refused to renew: x; the token still works until it runs out", "check sso_region of corp in ~/.aws/config"),
    (TokenMemory(refused="x", refused_code="not_allowed", alive=False), False, "AWS refused to renew: x; the token is dead", "ask the administrator of https://d-1.awsapps.com/start whether your access was taken away, then run: ssowatch login corp"),
]  # fmt: skip


@pytest.mark.parametrize(("tried", "unmoved", "message", "fix"), REFUSALS)
def test_a_refusal(tried, unmoved, message, fix):
    assert problems.refused(CORP, tried, unmoved=unmoved) == Problem("refused", message, fix)


def test_a_session_that_is_over_says_why():
    over = problems.session_over(CORP, NOW, None)
    assert (over.code, over.fix) == ("session_over", "sign in again: ssowatch login corp")
    assert over.message.startswith("the session is over, since ")
    assert problems.session_over(CORP, NOW, "aws login could not renew it").message == "aws login could not renew it"


TYPED = [
    (CORP, "ssowatch login corp"),
    (SignIn("my team", Kind.SSO_SESSION, "", ""), "ssowatch login 'my team'"),
    (SignIn("https://x/start", Kind.LEGACY, "https://x/start", "", ("old",)), "ssowatch login old"),
    (SignIn("https://x/start", Kind.LEGACY, "https://x/start", ""), "ssowatch login https://x/start"),
]


@pytest.mark.parametrize(("sign_in", "typed"), TYPED)
def test_what_to_type(sign_in, typed):
    assert problems.login_command(sign_in) == typed


OLD = SignIn("https://x/start", Kind.LEGACY, "https://x/start", "", ("old",))
PROBLEMS = [
    # id, problem, what its message says, what its mend says
    ("tried once", problems.unreachable(TokenMemory(attempts=1, failure="no route")), "renewal gets no answer from AWS: no route", None),
    ("tried twice", problems.unreachable(TokenMemory(attempts=2, failure="no route")), "renewal gets no answer from AWS (2 tries): no route", None),
    ("the clock is fast", problems.clock_skew(timedelta(minutes=5)), "this machine's clock is 300 s ahead of AWS's", "switch on network time (timedatectl set-ntp true)"),
    ("the clock is slow", problems.clock_skew(timedelta(minutes=-5)), "this machine's clock is 300 s behind AWS's", "switch on network time (timedatectl set-ntp true)"),
    ("legacy", problems.no_refresh_token(OLD), "a legacy profile's sign-in cannot be renewed: it has no refresh token", "make it renewable: ssowatch upgrade-profile old; or for now: ssowatch login old"),
    ("without a scope", problems.no_refresh_token(CORP), "this sign-in cannot be renewed: there is no refresh token (the login brought none, or a program dropped it)", "sign in again: ssowatch login corp; if it comes back, its [sso-session] lacks a scope: ssowatch upgrade-profile corp"),
]  # fmt: skip


@pytest.mark.parametrize(("problem", "message", "fix"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS])
def test_a_problem_says_what_follows_and_what_to_do(problem, message, fix):
    assert (problem.message, problem.fix) == (message, fix)


def test_a_fresh_sign_in_says_what_else_it_may_end():
    corp = SignIn("corp", Kind.SSO_SESSION, "https://d-1.awsapps.com/start", "us-east-1", ("dev",))
    said = login_text.ends_with_it(corp, ["aws-kb (claude-code)"], ["lab"])
    assert "which dev, aws-kb (claude-code) use" in said
    assert "AWS may end lab too" in said
    assert "too" not in login_text.ends_with_it(corp, [])


def test_a_fresh_sign_in_that_nobody_misses():
    bare = SignIn("corp", Kind.SSO_SESSION, "https://d-1.awsapps.com/start", "us-east-1")
    assert login_text.ends_with_it(bare, []) == "corp: ending the present sign-in, and signing in anew at once."


JOINED = [
    # a fresh one is wanted, changes of the record, words
    (False, {}, "corp: joining the sign-in that is already under way."),
    (False, {"fresh": True}, "corp: joining the sign-in that is already under way."),
    (True, {"fresh": True}, "corp: joining the sign-in that is already under way."),
    (True, {}, "corp: joining the sign-in that is already under way; it is an ordinary one, so run this again afterwards for a fresh one."),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "changes", "words"), JOINED)
def test_joining(wanted, changes, words):
    assert login_text.joined(record(**changes), fresh=wanted) == words


OUTCOMES = [
    # id, changes of the record, words
    ("a message", {"outcome": "failed", "message": "it broke"}, "corp: it broke"),
    ("a word alone", {"outcome": "timed_out"}, "corp: timed out"),
    ("no end", {"message": "x" * 401}, "corp: " + "x" * 399 + "…"),
]


@pytest.mark.parametrize(("changes", "words"), [row[1:] for row in OUTCOMES], ids=[row[0] for row in OUTCOMES])
def test_how_it_ended(changes, words):
    assert login_text.outcome(record(**changes)) == words


@pytest.mark.parametrize(("deadline", "until"), [(None, ""), (NOW, f" until {NOW.astimezone():%H:%M}")])
def test_who_stops_waiting_can_come_back(deadline, until):
    assert login_text.left_to_itself("my team", deadline) == (
        f"my team: the sign-in stays open{until}; ssowatch login 'my team' joins it again."
    )


def server(name: str, code: str | None = None) -> McpServer:
    return McpServer("codex", name, "/f", "dev", "corp", problem=Problem(code, "x") if code else None)


AFTER = [
    # id, servers, words
    ("none", [], ""),
    ("one", [server("a")], "a (Codex) goes on by itself."),
    ("one in two files", [server("a"), server("a")], "a (Codex) goes on by itself."),
    ("two", [server("a"), server("b", "read_only")], "a (Codex) and b (Codex) go on by themselves."),
    ("six", [server(name) for name in "abcdef"], "a (Codex), b (Codex), c (Codex), d (Codex), e (Codex) and f (Codex) go on by themselves."),
    ("many", [server(name) for name in "abcdefg"], "a (Codex), b (Codex), c (Codex), d (Codex), e (Codex) and 2 more go on by themselves."),
    ("a long name", [server("x" * 41)], "x" * 39 + "… (Codex) goes on by itself."),
    ("frozen", [server("a", "frozen_keys")], "Restart a (Codex): the keys that were taken at the start do not change."),
    ("both", [server("a"), server("b", "frozen_keys")], "a (Codex) goes on by itself. Restart b (Codex): the keys that were taken at the start do not change."),
]  # fmt: skip


@pytest.mark.parametrize(("servers", "words"), [row[1:] for row in AFTER], ids=[row[0] for row in AFTER])
def test_who_goes_on_and_who_must_be_restarted(servers, words):
    assert login_text.after(servers) == words
