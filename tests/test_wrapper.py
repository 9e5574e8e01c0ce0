"""What the wrapper decides, as functions: lines, readings, steps, limits, words, and whose profile it is."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import pytest
from fake_mcp_server import DEAD_KEYS, NO_TOKEN, RUN_OUT, UNAUTHORIZED
from hypothesis import given as examples
from hypothesis import strategies as st

from ssowatch.wish import Verdict
from ssowatch.wrapper import limits, messages, readings, steps, words
from ssowatch.wrapper.profile import given
from ssowatch.wrapper.readings import Answer, Reading
from ssowatch.wrapper.steps import Step

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["id", "method", "params", "result", "error", "content", "text", "type", "isError", "_meta", "progressToken",
         "progress", "name", "clientInfo", "tools", "annotations", "requestId", "message"]) | st.text(max_size=3), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@examples(st.binary())
def test_no_bytes_confuse_the_reader(line):
    body = messages.read(line)
    assert body is None or isinstance(body, dict)


@examples(st.dictionaries(st.sampled_from(["id", "method", "params", "result", "error", "jsonrpc"]), JSON, max_size=6))
def test_no_message_confuses_anybody(body):
    line = json.dumps(body).encode()
    body = messages.read(line) or {}
    messages.key(body.get("id"))
    messages.method(body)
    messages.client_name(body)
    messages.tool(body)
    messages.cancels(body)
    messages.progressed(body)
    messages.repeatable(body)
    messages.progress_token(body)
    readings.read(body)
    for written in (messages.with_line(body, "more"), messages.under_another_id(body, "ours")):
        assert written.endswith(b"\n")
        assert written.count(b"\n") == 1


def test_ids_of_two_kinds_are_two_ids():
    keys = [messages.key(one) for one in (1, "1", 2, "", 1.5)]
    assert len(set(keys)) == len(keys)
    assert [messages.key(one) for one in (None, True, [], {})] == [None] * 4


def result(text, *, failed=True):
    return {"id": 1, "result": {"content": [{"type": "text", "text": text}], "isError": failed}}


READINGS = [
    # id, body, reading
    ("visible", result(f"Error executing tool list_groups: Unexpected error: {RUN_OUT}"), Reading.TOKEN),
    ("aws login", result("Error executing tool x: Your session has expired or credentials have changed. Please reauthenticate using 'aws login'."), Reading.TOKEN),
    ("no token", result(f"Error executing tool list_groups: Unexpected error: {NO_TOKEN}"), Reading.TOKEN),
    ("unauthorized", result(f"Error executing tool list_groups: Unexpected error: {UNAUTHORIZED}"), Reading.TOKEN),
    ("masked", result("Error executing tool list_groups"), Reading.MASKED),
    ("a result that is an error", result(json.dumps({"error": RUN_OUT}), failed=False), Reading.TOKEN),
    ("with a code", result(json.dumps({"error": "The security token included in the request is expired", "code": "ExpiredTokenException"}), failed=False), Reading.KEYS),
    ("dead keys", result("Error executing tool list_groups: Unexpected error: AWS IAM Error (ExpiredToken): The security token included in the request is expired"), Reading.KEYS),
    ("the proxy", result(f"Tool call 'hello' failed: Error calling tool 'hello': {RUN_OUT}. Please retry."), Reading.TOKEN),
    ("the proxy, masked", result("Tool call 'x' failed due to expired or invalid AWS credentials. Please refresh your credentials and retry. The proxy will automatically use the new credentials on the next request."), Reading.MASKED),
    ("a JSON-RPC error", {"id": 1, "error": {"code": -32603, "message": RUN_OUT}}, Reading.TOKEN),
    ("another JSON-RPC error", {"id": 1, "error": {"code": -32602, "message": "Invalid request parameters"}}, Reading.GOOD),
    ("no such role", result("Error executing tool x: AWS IAM Error (ForbiddenException): No access"), Reading.GOOD),
    ("no such profile", result("Failed to create IAM client: The config profile (nope) could not be found"), Reading.GOOD),
    ("among other things", result(f"While I looked at the page I found: {RUN_OUT}. It says more below. {'x ' * 30}"), Reading.MENTIONS_TOKEN),
    ("keys among other things", result(f"While I looked at the page I found: {DEAD_KEYS}. It says more below. {'x ' * 30}"), Reading.GOOD),
    ("no result", {"id": 1, "result": "x"}, Reading.GOOD),
    ("a text that only begins like an object", result("{", failed=False), Reading.GOOD),
    ("a good result", result("all is well", failed=False), Reading.GOOD),
    ("a good result that says so", result(RUN_OUT, failed=False), Reading.GOOD),
    ("a good result that quotes", result(json.dumps({"error": f"the log says {RUN_OUT} and then goes on for a while"}), failed=False), Reading.GOOD),
    ("a long good result", result(json.dumps({"error": RUN_OUT, "log": "x" * 5000}), failed=False), Reading.GOOD),
    ("two texts", {"id": 1, "result": {"content": [{"type": "text", "text": json.dumps({"error": RUN_OUT})}] * 2}}, Reading.GOOD),
    ("nothing", {"id": 1, "result": {}}, Reading.GOOD),
]  # fmt: skip


@pytest.mark.parametrize(("body", "reading"), [row[1:] for row in READINGS], ids=[row[0] for row in READINGS])
def test_reading(body, reading):
    assert readings.read(body).reading is reading


LONG = json.dumps({"error": RUN_OUT})
FAILED = [
    # id, body, what it says, whether it calls itself an error
    ("a JSON-RPC error", {"error": {"message": RUN_OUT}}, Answer(Reading.TOKEN, failed=True)),
    ("no result", {"result": "x"}, Answer(Reading.GOOD, failed=False)),
    ("an error", result(RUN_OUT), Answer(Reading.TOKEN, failed=True)),
    ("an error that is none by its name", result(LONG, failed=False), Answer(Reading.TOKEN, failed=False)),
    ("a good one", result("fine", failed=False), Answer(Reading.GOOD, failed=False)),
    ("a part that is no object", {"result": {"content": ["x", {"type": "text", "text": RUN_OUT}], "isError": True}}, Answer(Reading.TOKEN, failed=True)),
    ("a part of another type", {"result": {"content": [{"type": "image", "text": RUN_OUT}], "isError": True}}, Answer(Reading.GOOD, failed=True)),
    ("a masked one among other things", result("I read: Tool call 'x' failed due to expired or invalid AWS credentials. So it goes on and on."), Answer(Reading.GOOD, failed=True)),
    ("the longest", result(LONG.ljust(4000), failed=False), Answer(Reading.TOKEN, failed=False)),
    ("one more", result(LONG.ljust(4001), failed=False), Answer(Reading.GOOD, failed=False)),
    ("a list", result(json.dumps([LONG]), failed=False), Answer(Reading.GOOD, failed=False)),
    ("a string", result(json.dumps(RUN_OUT), failed=False), Answer(Reading.GOOD, failed=False)),
    ("no error in it", result(json.dumps({"message": RUN_OUT}), failed=False), Answer(Reading.GOOD, failed=False)),
    ("an error that is no text", result(json.dumps({"error": {"message": RUN_OUT}}), failed=False), Answer(Reading.GOOD, failed=False)),
    ("no JSON", result("{" + RUN_OUT, failed=False), Answer(Reading.GOOD, failed=False)),
]  # fmt: skip


@pytest.mark.parametrize(("body", "answer"), [row[1:] for row in FAILED], ids=[row[0] for row in FAILED])
def test_reading_and_whether_it_calls_itself_an_error(body, answer):
    assert readings.read(body) == answer


BOXED = (
    "╭──── Traceback (most recent call last) ────╮\n│ /x/y.py:1 in f    │\n╰──────╯\n"
    "TokenRetrievalError: Error when\n   retrieving token from sso: Token\n   has expired and refresh failed\n"
)
STDERR = [
    # id, stderr since the call, reading
    ("boxed", BOXED, Reading.TOKEN),
    ("dead keys", f"Traceback\nClientError: {DEAD_KEYS}", Reading.KEYS),
    ("another cause", "Traceback (most recent call last):\nKeyError: 'x'", Reading.GOOD),
    ("another cause, without its way", "botocore.exceptions.ClientException: no", Reading.GOOD),
    ("silence", "", Reading.MASKED),
    ("small talk", "INFO Processing request of type CallToolRequest\n", Reading.MASKED),
]


@pytest.mark.parametrize(("stderr", "reading"), [row[1:] for row in STDERR], ids=[row[0] for row in STDERR])
def test_what_stderr_tells_of_a_masked_error(stderr, reading):
    assert readings.unmasked(stderr) is reading


STEPS = [
    # reading, worked when sent, works now, the same token, step
    (Reading.GOOD, True, True, True, Step.PASS),
    (Reading.GOOD, False, False, True, Step.PASS),
    (Reading.TOKEN, False, False, True, Step.ENSURE),
    (Reading.TOKEN, True, False, True, Step.ENSURE),
    (Reading.TOKEN, True, False, False, Step.ENSURE),
    (Reading.TOKEN, False, True, False, Step.RETRY),
    (Reading.TOKEN, True, True, False, Step.RETRY),
    (Reading.TOKEN, True, True, True, Step.DOUBT),
    (Reading.TOKEN, False, True, True, Step.RETRY),
    (Reading.MENTIONS_TOKEN, True, True, True, Step.PASS),
    (Reading.MENTIONS_TOKEN, True, True, False, Step.RETRY),
    (Reading.MENTIONS_TOKEN, True, False, True, Step.ENSURE),
    (Reading.MENTIONS_TOKEN, False, True, True, Step.RETRY),
    (Reading.MENTIONS_TOKEN, False, False, True, Step.ENSURE),
    (Reading.MENTIONS_TOKEN, False, True, False, Step.RETRY),
    (Reading.MASKED, True, True, True, Step.PASS),
    (Reading.MASKED, True, False, True, Step.PASS),
    (Reading.MASKED, False, False, True, Step.ENSURE),
    (Reading.MASKED, False, True, False, Step.RETRY),
    (Reading.KEYS, True, True, True, Step.RESTART),
    (Reading.KEYS, True, False, True, Step.PASS),
]


@pytest.mark.parametrize(("reading", "worked", "works", "same", "step"), STEPS)
def test_step(reading, worked, works, same, step):
    assert steps.next_step(Answer(reading, failed=True), worked=worked, works=works, same=same) is step


HOURS = timedelta(hours=27).total_seconds()
LIMITS = [
    # client, environment, seconds between
    ("claude-code", {}, (HOURS, HOURS + 3600)),
    ("claude-code", {"MCP_TOOL_TIMEOUT": "120000"}, (60, 120)),
    ("claude-code", {"MCP_TOOL_TIMEOUT": "12"}, (HOURS, HOURS + 3600)),
    ("claude-code", {"MCP_TOOL_TIMEOUT": "soon"}, (HOURS, HOURS + 3600)),
    ("claude-ai", {}, (30, 59)),
    ("codex-mcp-client", {"MCP_TOOL_TIMEOUT": "9999999"}, (30, 59)),
    ("Codex", {}, (30, 59)),
    ("gemini-cli-mcp-client-aws", {}, (300, 599)),
    ("Q DEV CLI", {}, (60, 119)),
    ("Roo Code", {}, (30, 59)),
    ("opencode", {}, (10, 29)),
    ("cursor-vscode", {}, (30, 59)),
    ("somebody new", {}, (30, 59)),
    (None, {}, (30, 59)),
]


@pytest.mark.parametrize(("name", "environ", "between"), LIMITS)
def test_how_long_a_call_is_held(name, environ, between):
    least, most = between
    assert least <= limits.call_seconds(name, environ) <= most


HELD = [
    # client, environment, seconds
    ("claude-code", {}, 99_985),
    ("claude-code", {"MCP_TOOL_TIMEOUT": "999"}, 99_985),
    ("claude-code", {"MCP_TOOL_TIMEOUT": "1000"}, 0.5),
    ("claude-code", {"MCP_TOOL_TIMEOUT": "30000"}, 15),
    ("claude-code", {"MCP_TOOL_TIMEOUT": "40000"}, 25),
    ("claude-code", {"MCP_TOOL_TIMEOUT": "999999999999"}, 999_999_984.999),
    ("claude-code", {"MCP_TOOL_TIMEOUT": "1000000000000"}, 99_985),
    ("claude-code", {"MCP_TOOL_TIMEOUT": "\u0662\u0660\u0660\u0660"}, 99_985),
    ("opencode", {}, 15),
    ("codex", os.environ, 45),
]


@pytest.mark.parametrize(("name", "environ", "seconds"), HELD)
def test_how_long_exactly(name, environ, seconds):
    assert limits.call_seconds(name, environ) == seconds


@pytest.mark.parametrize(("name", "seconds"), [("claude-code", 28), ("claude-ai", 58), ("codex", 8), (None, 8)])
def test_how_long_a_start_is_held(name, seconds):
    assert limits.start_seconds(name) == seconds


@pytest.mark.parametrize("row", [*limits.TABLE, limits.OTHERS], ids=lambda row: (row.names or ("others",))[0])
def test_a_row_of_the_limits(row):
    assert row.source
    assert 0 < limits.call_seconds((row.names or ("others",))[0], {}) < row.call.total_seconds()
    assert 0 < limits.start_seconds((row.names or ("others",))[0]) < row.start.total_seconds()


def test_names_of_the_limits_are_told_apart():
    for row in limits.TABLE:
        assert all(limits.client(name) is row for name in row.names)


PROFILES = [
    # argv, environment, profile
    (["server"], {}, "default"),
    (["server"], {"AWS_PROFILE": "dev"}, "dev"),
    (["server"], {"AWS_DEFAULT_PROFILE": "old"}, "old"),
    (["server"], {"AWS_PROFILE": "dev", "AWS_API_MCP_PROFILE_NAME": "api"}, "api"),
    (["server", "--profile", "x"], {"AWS_PROFILE": "dev"}, "x"),
    (["server", "--profile=x"], {}, "x"),
    (["env", "AWS_PROFILE=y", "server"], {"AWS_PROFILE": "dev"}, "y"),
    (["sh", "-c", "AWS_PROFILE=z exec server"], {}, "z"),
    (["mcp-proxy-for-aws", "https://x", "--profile", "a", "b"], {}, "a"),
    (["mcp-proxy-for-aws", "https://x"], {"AWS_MCP_PROXY_PROFILES": "p q", "AWS_PROFILE": "dev"}, "p"),
    (["docker", "run", "-e", "AWS_PROFILE=d", "image"], {}, "d"),
    (["server"], {"AWS_PROFILE": "${NOT_EXPANDED}"}, "${NOT_EXPANDED}"),
]


@pytest.mark.parametrize(("argv", "environ", "profile"), PROFILES)
def test_the_profile_that_a_server_is_given(argv, environ, profile):
    assert given(argv, environ) == profile


def test_advice_says_what_to_run_and_shows_no_tricks():
    said = words.advice("co rp\n\x1b[31m", Verdict(1, "nobody signed in within 45s"))
    assert "nobody signed in within 45s" in said
    assert "ssowatch login 'co rp" in said
    assert "\n" not in said
    assert "\x1b" not in said


def test_advice_about_an_outage_sends_nobody_to_sign_in():
    assert "login" not in words.advice("corp", Verdict(os.EX_TEMPFAIL, "AWS does not answer: refused"))


def test_advice_about_a_mistake_names_it_and_nothing_else():
    assert words.advice("corp", Verdict(2, "no such profile.")) == "ssowatch: corp: no such profile."
    assert words.advice("corp", Verdict(os.EX_CONFIG, "line 3")) == "ssowatch: corp: line 3."


def test_what_is_said_of_a_restart_and_while_waiting():
    assert words.restarted("corp\n").startswith("ssowatch: the AWS sign-in corp is good, but this server kept keys")
    assert words.waiting("corp\n") == "waiting for the AWS sign-in corp: a person is asked"


CALLED = {"id": 1, "method": "tools/call", "params": {"name": "t", "_meta": {"progressToken": "p"}, "requestId": 7}}
INFO = {"name": "claude-code", "version": "2"}


def test_what_a_message_says():
    assert messages.read(json.dumps(CALLED).encode()) == CALLED
    assert [messages.read(line) for line in (b"", b"[]", b"{", b"\xff", b"[" * 100_000)] == [None] * 5
    assert [messages.method(one) for one in (CALLED, {}, {"method": 1})] == ["tools/call", None, None]
    assert [messages.tool(one) for one in (CALLED, {}, {"params": {"name": 1}}, {"params": []})] == [
        "t",
        None,
        None,
        None,
    ]
    assert messages.cancels(CALLED) == "7"
    assert messages.cancels({}) is None
    tokens = [
        messages.progress_token({"params": {"_meta": {"progressToken": one}}}) for one in ("p", 1, True, None, 1.5)
    ]
    assert tokens == ["p", 1, None, None, None]


@pytest.mark.parametrize(
    ("body", "answers"),
    [
        ({"id": 1, "result": {}}, True),
        ({"id": 1, "error": {}}, True),
        ({"id": 1}, False),
        ({"id": 1, "method": "ping", "result": {}}, False),
    ],
)
def test_what_is_an_answer(body, answers):
    assert messages.is_answer(body) is answers


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"clientInfo": INFO}, "claude-code"),
        ({"_meta": {"io.modelcontextprotocol/clientInfo": INFO}}, "claude-code"),
        ({"clientInfo": {"name": 1}}, None),
        ({"clientInfo": "x"}, None),
        (None, None),
    ],
)
def test_who_calls(params, name):
    assert messages.client_name({"params": params}) == name


@pytest.mark.parametrize(
    ("params", "progressed"),
    [
        ({"progressToken": "p", "progress": 3}, ('"p"', 3.0)),
        ({"progressToken": 1, "progress": 0.5}, ("1", 0.5)),
        ({"progressToken": 1, "progress": 10**400}, ("1", 0.0)),
        ({"progress": "far"}, (None, 0.0)),
    ],
)
def test_how_far_things_are(params, progressed):
    assert messages.progressed({"params": params}) == progressed


def test_which_tools_may_be_called_again():
    tools = [
        {"name": "reads", "annotations": {"readOnlyHint": True}},
        {"name": "again", "annotations": {"readOnlyHint": False, "idempotentHint": True}},
        {"name": "writes", "annotations": {"readOnlyHint": "true"}},
        {"name": "says nothing"},
        {"annotations": {"readOnlyHint": True}},
        "x",
    ]
    again = {"reads": True, "again": True, "writes": False, "says nothing": False}
    assert messages.repeatable({"result": {"tools": tools}}) == again
    assert messages.repeatable({"result": {"tools": "x"}}) == {}


def test_a_progress_notification_and_a_request_under_another_id():
    assert json.loads(messages.progress("p", 1.5, "waiting")) == {
        "jsonrpc": "2.0",
        "method": "notifications/progress",
        "params": {"progressToken": "p", "progress": 1.5, "message": "waiting"},
    }
    assert json.loads(messages.under_another_id(CALLED, "ours")) == CALLED | {"id": "ours"}


def test_a_line_more():
    body = json.loads(messages.with_line(result("bad"), "more"))
    assert [part["text"] for part in body["result"]["content"]] == ["bad", "more"]
    assert body["result"]["isError"] is True
    error = json.loads(messages.with_line({"id": "a", "error": {"code": 1, "message": "bad"}}, "more"))
    assert error == {"id": "a", "error": {"code": 1, "message": "bad\nmore"}}
