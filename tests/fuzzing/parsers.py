"""Everything that reads bytes which somebody else may have written, as functions of bytes with what must hold of each.

Rules of this file:
1. A row feeds one parser as the program does. What it raises beyond the documented error, or a broken promise, is a finding.
2. "canary" stands for a secret, wherever a seed has one: no error text and no `repr` may hold it.
3. Fuzzed by `scripts/fuzz` (`__main__.py`); what was found interesting lies in `tests/corpus`, and `tests/test_corpus.py`
   feeds it to the same rows in the fast lane.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.awsrequest
import mcp_mutations
import mcp_samples

from ssowatch import (
    act_log,
    answers,
    aws_clients,
    aws_errors,
    awsconfig,
    cli,
    durations,
    explanation,
    flow_record,
    history,
    listener,
    login_text,
    memories,
    memory,
    notice_text,
    only_an_error,
    paths,
    pauses,
    planner,
    protocol,
    published,
    quiet_hours,
    registrations,
    schedule,
    settings,
    status_table,
    time_of_day,
    tokenfile,
    wording,
    yaml_layers,
)
from ssowatch.authorization import Authorization
from ssowatch.identity_center import IdentityCenter
from ssowatch.mcp import found, shapes
from ssowatch.model import Kind, Mode, Policy, SignIn, Surroundings, Token, TokenFile, Unwatched
from ssowatch.wrapper import messages, readings

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CORP = SignIn("corp", Kind.SSO_SESSION, "https://d-1234567890.awsapps.com/start", "us-east-1", ("dev",))
TOKEN = Token("0" * 16, "client", NOON + HOUR, refreshable=True)
SEPARATOR = b"\0\0"
"""Between two files of one input."""


@dataclass(frozen=True, slots=True)
class Parser:
    """One row. `words`: what a fuzzer should try."""

    name: str
    feed: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]
    words: tuple[str, ...] = ()


def harmless(text: str, *, one_line: bool = True) -> None:
    """Fit for a log and a terminal, and without a secret."""
    assert all(char.isprintable() or (char == "\n" and not one_line) for char in text), repr(text)
    assert "canary" not in text.lower(), repr(text)


@cache
def _scratch() -> Path:
    shm = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="ssowatch-fuzz-", dir=shm if os.access(shm, os.W_OK) else None)
    return Path(folder)


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    """A home in memory, for what reads files by their place."""
    before = os.environ.get("HOME")
    os.environ["HOME"] = str(_scratch())
    try:
        yield _scratch()
    finally:
        if before is None:
            del os.environ["HOME"]
        else:
            os.environ["HOME"] = before


def _put(path: str | Path, content: bytes) -> None:
    Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    Path(path).write_bytes(content)


# Files of others


def token_file(data: bytes) -> None:
    """What was read is written so that it can be read again, and says the same."""
    try:
        read = tokenfile.parse(data)
    except tokenfile.TokenFileError as error:
        harmless(str(error))
        return
    harmless(repr(read))
    if not read.token.refreshable:
        return
    written, token = tokenfile.renewed(read.document, access_token="new", expires_at=NOON, refresh_token=None)
    again = tokenfile.parse(written)
    assert again.token == token
    assert token.flaw is None
    assert (again.refresh_token, again.client_id, again.client_secret) == (
        read.refresh_token,
        read.client_id,
        read.client_secret,
    )
    assert again.document.keys() == read.document.keys() | {"accessToken", "expiresAt"}


def aws_config(data: bytes) -> None:
    """Both files; whatever they hold, what is said of them is fit to be shown."""
    texts = [part.decode(errors="replace") for part in data.partition(SEPARATOR)[::2]]
    read = awsconfig.parse(*texts)
    assert read == awsconfig.parse(*texts)
    for problem in (read.problem, *(one.problem for one in read.sign_ins)):
        if problem:
            assert (problem.message + (problem.fix or "")).isprintable(), problem
    for one in read.unwatched:
        assert one.reason.isprintable(), one
    for sign_in in read.sign_ins:
        paths.token_file(sign_in.name)
        assert sign_in.problem or (sign_in.start_url.isprintable() and sign_in.region.isascii()), sign_in
    names = [profile for one in read.sign_ins for profile in one.profiles] + [one.profile for one in read.unwatched]
    assert len(names) == len(set(names)), "a profile has one sign-in"


def own_config(data: bytes) -> None:
    """Two layers of our config; what `config show` writes is read back as the same."""
    above, _, below = data.partition(SEPARATOR)
    with _home() as home:
        files = [home / name for name in ("config.yaml", "system.yaml")]
        for path, content in zip(files, (above, below), strict=True):
            _put(path, content)
            path.chmod(0o600)
        try:
            loaded = settings.load(*map(str, files))
        except settings.SettingsError as error:
            assert str(error).isprintable(), str(error)
            return
        assert all(note.isprintable() for note in loaded.notes)
        assert "canary" not in repr(loaded.settings.environment) + repr(loaded.settings.notify[:0])
        shown = settings.as_yaml(loaded.settings)
        _put(files[0], shown.encode())
        again = settings.load(str(files[0]), str(home / "none"))
        assert settings.as_yaml(again.settings) == shown
        settings.policy(loaded.settings, "corp", CORP.start_url)
        quiet_hours.end(loaded.settings.quiet.hours, NOON)
        schedule.day(loaded.settings.schedule.fresh, loaded.settings.schedule.evening, NOON)


def _mcp(*endings: str) -> Callable[[bytes], None]:
    rows = [row for row in mcp_mutations.ROWS if row[1].endswith(endings)]

    def feed(data: bytes) -> None:
        if data:
            name, path = rows[data[0] % len(rows)]
            mcp_mutations.survives(name, path, data[1:])

    return feed


def _mcp_seeds(*endings: str) -> Callable[[], Iterable[bytes]]:
    rows = [row for row in mcp_mutations.ROWS if row[1].endswith(endings)]

    def seeds() -> Iterable[bytes]:
        for number, (name, path) in enumerate(rows):
            for sample in mcp_samples.SAMPLES[getattr(shapes, name)].values():
                yield bytes([number]) + mcp_samples.text(path, sample).encode()

    return seeds


# Our own files, which anybody may have edited, or an older version or a full disk may have left


def memory_file(data: bytes) -> None:
    """Whatever it remembers, there is a plan, and it can be shown."""
    with _home():
        _put(paths.memory_file("corp"), data)
        known = memories.load("corp")
    for mode in Mode:
        seen = memory.observed(known, CORP, TOKEN, NOON)
        plan = planner.plan(CORP, TokenFile(TOKEN), seen, Policy(mode=mode), Surroundings(), NOON)
        assert plan.wake_at is None or plan.wake_at > NOON
        row = protocol.Row(CORP, TOKEN, plan)
        document = protocol.document(NOON, protocol.WatcherFacts(), None, [row], [])
        json.loads(protocol.encoded(document))
        assert plan.problem is None or plan.problem.message.isprintable(), plan.problem


def flow_file(data: bytes) -> None:
    """The record of a sign-in under way, and what a person reads of it."""
    record = flow_record.decoded(data)
    if record is None:
        return
    harmless_to_see = login_text.progress(record, CORP, None, None, 0)
    assert all(line.isprintable() for line in harmless_to_see), harmless_to_see
    assert "canary" not in repr(record).replace(repr(record.name), "").replace(repr(record.id), "").replace(
        repr(record.outcome), ""
    )
    assert flow_record.decoded(flow_record.encoded(record)) == record


def act_file(data: bytes) -> None:
    """The log of acts as `history` shows it."""
    acts = list(act_log._parsed(data.splitlines()))
    days = history.days(acts, NOON, 7, 24)
    assert len(days) == 7
    assert json.loads(json.dumps(history.document(days)))["version"] == 1
    assert all(line.isprintable() for line in history.totals(days))


def state_files(data: bytes) -> None:
    """The rest of our state: each is believed or is none."""
    kind, content = data[:1], data[1:]
    with _home():
        if kind == b"p":
            _put(paths.pauses_file(), content)
            assert all(end.tzinfo and end > datetime.min.replace(tzinfo=UTC) for end in pauses.load().values())
        elif kind == b"r":
            _put(registrations._path(CORP, "pkce"), content)
            kept = registrations.load(CORP, "pkce", NOON)
            assert kept is None or "canary" not in repr(kept)
        elif kind == b"m":
            _put(paths.mcp_servers_file(), content)
            found.load()
            for server in found.servers() or ():
                json.dumps(protocol.mcp_server(server))
        elif kind == b"s":
            try:
                published.parsed(content)
            except (ValueError, RecursionError):
                return


# What is said to us


def socket_request(data: bytes) -> None:
    """A request or a word why not, which echoes nothing."""
    try:
        assert protocol.request(data) in protocol.REQUESTS
    except protocol.RequestError as error:
        harmless(str(error))
        assert json.loads(protocol.refusal(str(error)))["ok"] is False


_STATE = "right-state"


@cache
def _listening() -> tuple[listener.Listener, asyncio.AbstractEventLoop]:
    return listener.Listener(lambda _: "https://oidc.example/authorize", _STATE), asyncio.new_event_loop()


def callback(data: bytes) -> None:
    """One request to the listener of a sign-in: a page of ours, or the way back with the right state."""
    ours, loop = _listening()
    ours._came, ours._opened = listener.Future(), False
    data = data.replace(b"PORT", str(ours.port).encode())

    async def look() -> tuple[listener.Page | None, bytes]:
        reader = asyncio.StreamReader(limit=listener._LARGEST)
        reader.feed_data(data)
        reader.feed_eof()
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.LimitOverrunError, asyncio.IncompleteReadError):
            return None, b""
        return ours._look(head, ("192.0.2.1", 1)), head

    page, head = loop.run_until_complete(look())
    if page is not None:
        raw = listener._raw(page)
        assert b"canary" not in raw
        assert page.status in {302, 400, 403, 404, 405, 410, 421, 431}
        assert page.status != 302 or ours._path.encode() in head
        assert not ours._came.done()
    elif head:
        came = ours._came.result(0)
        assert _STATE.encode() in head
        assert (came.code is None) != (came.error is None)
        harmless(repr(came))


def command_line(data: bytes) -> None:
    """Words of a command: parsed, or refused with the exit code of usage."""
    words = os.fsdecode(data).split("\0")
    chosen = next((word for word in words if word in cli.COMMANDS), None)
    parser = _parser(chosen)
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            parser.parse_args(words)
        except SystemExit as left:
            assert left.code in {0, 2}
    assert "Traceback" not in said.getvalue()


@cache
def _parser(chosen: str | None):
    return cli._parser(chosen)


def spans_and_times(data: bytes) -> None:
    """Durations, times of day, cron lines, quiet hours: what people write into config and options."""
    text = data.decode(errors="replace")
    with contextlib.suppress(ValueError):
        span = durations.parse(text)
        assert span >= timedelta()
        assert durations.parse(durations.text(span)) == span
    with contextlib.suppress(ValueError):
        at = time_of_day.next_at(text, NOON)
        assert NOON < at <= NOON + 26 * HOUR
        time_of_day.shown(at, NOON)
    node = yaml_layers.Node(yaml_layers.Sort.TEXT, text=text, path=("schedule", "fresh"))
    with contextlib.suppress(settings.SettingsError):
        line = settings._cron(node)
        day = schedule.day(line, line, NOON)
        assert day.next_at > NOON
    with contextlib.suppress(settings.SettingsError):
        end = quiet_hours.end(settings._HOURS(node), NOON)
        assert end is None or end > NOON


# What AWS and MCP servers say


@cache
def _document() -> dict[str, Any]:
    """What `status --json` would say of two sign-ins, one of which works."""
    over = replace(CORP, name="other", start_url="https://other.awsapps.com/start", profiles=("prod",))
    rows = []
    for sign_in, token in ((CORP, TOKEN), (over, None)):
        known = memory.observed(memories.Memory(), sign_in, token, NOON)
        plan = planner.plan(sign_in, TokenFile(token), known, Policy(), Surroundings(), NOON)
        rows.append(protocol.Row(sign_in, token, plan))
    return protocol.document(NOON, protocol.WatcherFacts(), None, rows, [Unwatched("keys", "static access keys")])


def error_text(data: bytes) -> None:
    """Any text: what is made of it is bounded, and shows nothing of it."""
    text = data.decode(errors="replace")
    rows = aws_errors.found(text)
    assert rows or not only_an_error.whole(text)
    assert set(aws_errors.mentioned(text, ("dev", "corp"))) <= {"dev", "corp"}
    said = explanation.explain(text, _document(), NOON, width=80)
    harmless(said or "", one_line=False)


def wrap_line(data: bytes) -> None:
    """A line between an MCP client and a server: nothing raises, and what is written is one line of JSON."""
    body = messages.read(data)
    if body is None:
        return
    messages.method(body), messages.is_answer(body), messages.client_name(body), messages.tool(body)
    messages.cancels(body), messages.progressed(body), messages.repeatable(body), messages.key(body.get("id"))
    token = messages.progress_token(body)
    if token is not None:
        assert json.loads(messages.progress(token, 0.5, "waiting"))
    readings.read(body)
    for line in (messages.with_line(body, "advice"), messages.under_another_id(body, "ours")):
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert isinstance(json.loads(line), dict)
    readings.unmasked(data.decode(errors="replace"))


class _Raw:
    """What urllib3 gives of an answer."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._content

    def close(self) -> None:
        """Nothing."""


_STATUS = (200, 400, 401, 403, 404, 429, 500, 503)
_answer = SimpleNamespace(status=200, body=b"")


def _answered(_: object) -> botocore.awsrequest.AWSResponse:
    headers = {"date": "Mon, 05 Jan 2026 12:00:00 GMT", "content-type": "application/json"}
    first, _, rest = _answer.body.partition(b"\n")
    if first.startswith(b"#"):  # a header of its own
        name, _, value = first[1:].decode("latin-1").partition(":")
        headers, body = {**headers, name.lower(): value}, rest
    else:
        body = _answer.body
    return botocore.awsrequest.AWSResponse("http://127.0.0.1/", _answer.status, headers, _Raw(body))


@cache
def _portals() -> tuple[IdentityCenter, Authorization]:
    made: dict[str, object] = {}

    class Clients(aws_clients.Clients):
        def make(self, service: str, **options: object):
            if service not in made:
                made[service] = super().make(service, **options)
                made[service]._endpoint.http_session.send = _answered
            return made[service]

    portal = IdentityCenter(CORP)
    portal._clients = clients = Clients(CORP)
    return portal, Authorization(CORP, clients, clients.make("sso-oidc"))


_CONTENTS = tokenfile.parse(
    b'{"accessToken": "canary", "expiresAt": "2026-01-05T12:00:00Z", "refreshToken": "canary-r", "clientId": "canary-i",'
    b' "clientSecret": "canary-s"}'
)


def identity_center(data: bytes) -> None:
    """An answer of Identity Center through botocore, to each call that is made."""
    if len(data) < 2:
        return
    _answer.status, _answer.body = _STATUS[data[0] % len(_STATUS)], data[2:]
    portal, service = _portals()
    registration = answers.Registration("canary", "canary", NOON, NOON + HOUR)
    calls = (
        lambda: portal.renew(_CONTENTS, NOON),
        lambda: portal.lives(_CONTENTS),
        lambda: service.register("device", NOON),
        lambda: service.start_device(registration, NOON),
        lambda: service.token_by_code(registration, "canary", "v", "http://127.0.0.1/", NOON),
        lambda: service.log_out("canary", NOON),
        lambda: list(service._person("canary")),
    )
    call = calls[data[1] % len(calls)]
    if call is calls[-1]:  # best effort, in a thread that nothing depends on
        with contextlib.suppress(Exception):
            for person in call():
                assert all(name.isprintable() for name in (person.name or "", *person.accounts))
        return
    said = call()
    if isinstance(said, answers.Unanswered | answers.Refusal):
        harmless(said.reason)
    if isinstance(said, answers.Granted):
        content, token = tokenfile.renewed(
            _CONTENTS.document,
            access_token=said.access_token,
            expires_at=NOON + said.life,
            refresh_token=said.refresh_token,
        )
        assert tokenfile.parse(content).token == token
        assert abs(said.skew) < timedelta.max
    if isinstance(said, answers.DeviceCode):
        assert said.expires_at > NOON
        assert said.interval > timedelta()
    repr(said)


def shown_name(data: bytes) -> None:
    """A name that came from a file, in everything that shows one: a table, a notice, a log line."""
    name = data.decode(errors="surrogateescape")
    if not name:
        return
    sign_in = SignIn(name, Kind.SSO_SESSION, CORP.start_url, CORP.region, (name,))
    known = memory.observed(memories.Memory(), sign_in, None, NOON)
    plan = planner.plan(sign_in, TokenFile(), known, Policy(), Surroundings(), NOON)
    row = protocol.Row(sign_in, None, plan)
    document = json.loads(protocol.encoded(protocol.document(NOON, protocol.WatcherFacts(), None, [row], [])))
    for text in (
        status_table.table(document, NOON, 80),
        wording.state_line(row),
        wording.service_line([row], plan.problem),
    ):
        assert all(line.isprintable() for line in text.split("\n")), text
    for notice in (notice_text.called(sign_in), notice_text.typed(protocol.event("test", row, name, name))):
        assert all(line.isprintable() for line in notice.split("\n")), notice
    assert plan.problem is None or (plan.problem.message + (plan.problem.fix or "")).isprintable()


_JSON_WORDS = ('{"', '":', "[", "]", "{", "}", ",", "\\u", "\\ud800", "null", "true", "1e999", "NaN", "-1", '"canary"')
_TOKEN_WORDS = (
    "accessToken",
    "expiresAt",
    "refreshToken",
    "clientId",
    "clientSecret",
    "registrationExpiresAt",
    "startUrl",
)
_MOMENTS = ("2026-01-05T12:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "+00:00", "UTC")


def _texts(*texts: str) -> Callable[[], Iterable[bytes]]:
    return lambda: (text.encode() for text in texts)


def _memory_seeds() -> Iterable[bytes]:
    seen = memory.observed(memories.Memory(), CORP, TOKEN, NOON)
    import msgspec

    yield msgspec.json.encode(memories.Memory())
    yield msgspec.json.encode(memory.tab_denied(memory.tab_opened(seen, NOON), "denied", NOON))
    yield msgspec.json.encode(memory.refused(seen, "ended", "it ended", NOON, alive=True, skew=timedelta()))
    yield msgspec.json.encode(memory.failed(seen, TOKEN, "cannot connect", NOON, 0.5))


def _error_seeds() -> Iterable[bytes]:
    for row in aws_errors.TABLE:
        text = str(row.patterns[0][0])
        yield text.encode()
    yield b"Error when retrieving token from sso: Token has expired and refresh failed"
    yield b'{"error": "Error when retrieving token from sso: Token has expired and refresh failed"}'


def _line_seeds() -> Iterable[bytes]:
    for body in (
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"clientInfo": {"name": "x"}}},
        {"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {"name": "t", "_meta": {"progressToken": 7}}},
        {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 7, "progress": 0.5}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}},
        {"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "t", "annotations": {"readOnlyHint": True}}]}},
        {
            "jsonrpc": "2.0",
            "id": 1,
            "result": {"isError": True, "content": [{"type": "text", "text": "Token has expired and refresh failed"}]},
        },
        {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "Invalid request parameters", "data": ""}},
    ):
        yield json.dumps(body).encode()


def _center_seeds() -> Iterable[bytes]:
    bodies = (
        {"accessToken": "aoa", "expiresIn": 3600, "refreshToken": "aor", "tokenType": "Bearer"},
        {"accountList": [{"accountId": "111111111111", "accountName": "x"}]},
        {"clientId": "i", "clientSecret": "s", "clientSecretExpiresAt": 1800000000},
        {
            "deviceCode": "d",
            "userCode": "AAAA-BBBB",
            "verificationUri": "https://x/",
            "verificationUriComplete": "https://x/?u",
            "expiresIn": 600,
            "interval": 5,
        },
        {"error": "invalid_grant", "error_description": "x"},
    )
    for call in range(7):
        for status in (0, 1):
            for body in bodies:
                yield bytes([status, call]) + json.dumps(body).encode()
    yield b"\1\0#x-amzn-ErrorType: InvalidGrantException\n{}"
    yield b"\0\0#date: Thu, 01 Jan 1970 00:00:00 GMT\n{}"
    yield b"\0\0<html>"


PARSERS = (
    Parser(
        "token_file",
        token_file,
        lambda: (
            *_texts(
                '{"accessToken": "canary", "expiresAt": "2026-01-05T12:00:00Z", "refreshToken": "canary", "clientId": "canary", "clientSecret": "canary", "registrationExpiresAt": "2026-04-05T12:00:00UTC", "x": [1.5, null]}',
                '{"accessToken": "canary", "expiresAt": 1767614400}',
                "\ufeff{}",
            )(),
        ),
        (*_JSON_WORDS, *_TOKEN_WORDS, *_MOMENTS),
    ),
    Parser(
        "aws_config",
        aws_config,
        _texts(
            "[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = us-east-1\n\n[profile dev]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = x\n",
            "[default]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = x\n[profile r]\nrole_arn = a\nsource_profile = default\n\0\0[keys]\naws_access_key_id = canary\naws_secret_access_key = canary\n",
            "[profile a]\nrole_arn=x\nsource_profile=b\n[profile b]\nrole_arn=x\nsource_profile=a\n[profile c]\ncredential_process = /bin/canary --x\n",
        ),
        (
            "[profile ",
            "[sso-session ",
            "[DEFAULT]",
            "sso_session=",
            "source_profile=",
            "role_arn=",
            "sso_region=",
            "sso_start_url=",
            "\n ",
            "]",
            "%(x)s",
            "#",
            ";",
            "\0\0",
            "\ufeff",
            "\x85",
            "\u2028",
        ),
    ),
    Parser(
        "own_config",
        own_config,
        _texts(
            "mode: auto\nrefresh_before: 30m\nwatch: [corp]\nsign_ins: {corp: {mode: silent, length: 8h, login: {method: device}}}\n",
            'notify: [desktop, {command: [a, b]}, {apprise: ["json://canary"]}]\nenvironment: {HTTPS_PROXY: canary}\nhooks: {on_renewed: [a]}\n',
            'schedule: {fresh: "55 8 * * mon-fri"}\nquiet: {hours: "22:00-07:00"}\n\0\0mode: silent\nlocked: [mode]\n',
            'portals: {"https://d-1.awsapps.com/start": {length: 12h}}\nmcp: {discover: false, configs: [~/x.json]}\nheartbeat: 1s\n',
        ),
        (
            "mode: ",
            "auto",
            "sign_ins: ",
            "login: ",
            "method: command",
            "command: [x]",
            "\0\0",
            "locked: [",
            "environment: ",
            "PATH: ",
            "schedule: ",
            "- ",
            "? ",
            "&a",
            "*a",
            "!!str ",
            "|",
            ">",
            "---",
            "%YAML",
            "<<: ",
            "\\x1b",
            "\\u202e",
        ),
    ),
    Parser(
        "mcp_json",
        _mcp(".json", ".jsonc", ".code-workspace"),
        _mcp_seeds(".json", ".jsonc", ".code-workspace"),
        (
            *_JSON_WORDS,
            "//",
            "/*",
            "*/",
            "mcpServers",
            "command",
            "args",
            "env",
            "AWS_PROFILE",
            "${",
            "--profile",
            "sh",
            "-c",
            "docker",
            "run",
            "-e",
        ),
    ),
    Parser(
        "mcp_toml",
        _mcp(".toml"),
        _mcp_seeds(".toml"),
        ("[mcp_servers.", "[[", "]]", '"""', "'''", "command = ", "env = {", "1979-05-27", "inf", "\\u"),
    ),
    Parser(
        "mcp_yaml",
        _mcp(".yaml"),
        _mcp_seeds(".yaml"),
        (
            "extensions:",
            "cmd: ",
            "envs:",
            "&a ",
            "*a",
            "<<: ",
            "!!python/object:x",
            "- ",
            "? ",
            "|",
            "---",
            "\\x1b",
            "2026-13-41",
            "0o7",
            "1:2:3",
        ),
    ),
    Parser(
        "memory_file",
        memory_file,
        _memory_seeds,
        (
            *_JSON_WORDS,
            *_MOMENTS,
            "token",
            "lineage",
            "lives",
            "began_at",
            "alive_at",
            "dead_at",
            "PT1H",
            "P99999D",
            "attempts",
            "retry_at",
            "noticed",
            "denied_at",
            "denials",
            "not_before",
            "refused",
            "life",
        ),
    ),
    Parser(
        "flow_file",
        flow_file,
        lambda: (
            flow_record.encoded(
                flow_record.Record(
                    "id",
                    "corp",
                    NOON,
                    stage=stage,
                    method=method,
                    link="https://canary/",
                    code="canary",
                    deadline=NOON + HOUR,
                )
            )
            for stage in flow_record.Stage
            for method in ("pkce", "device")
        ),
        (*_JSON_WORDS, *_MOMENTS, "stage", "waiting", "deadline", "outcome"),
    ),
    Parser(
        "act_file",
        act_file,
        lambda: (
            b"".join(
                json.dumps(
                    {
                        "at": f"2026-01-0{day}T0{hour}:00:00Z",
                        "event": event,
                        "sign_in": "corp",
                        "state": state,
                        "good_until": "2026-01-05T10:00:00Z",
                        "presence": "locked",
                    }
                ).encode()
                + b"\n"
                for day, hour, event, state in (
                    (3, 1, "renewed", "valid"),
                    (4, 2, "warned", "login_required"),
                    (5, 3, "signed_in", "valid"),
                    (5, 4, "tab", "unreachable"),
                )
            ),
        ),
        (
            *_JSON_WORDS,
            *_MOMENTS,
            "event",
            "renewed",
            "signed_in",
            "sign_in",
            "good_until",
            "state",
            "login_required",
            "\n",
        ),
    ),
    Parser(
        "state_files",
        state_files,
        _texts(
            'p{"corp": "2026-01-05T13:00:00Z", "*": "2026-01-05T13:00:00Z"}',
            'r{"method": "pkce", "start_url": "https://d-1234567890.awsapps.com/start", "region": "us-east-1", "scopes": ["sso:account:access"], "client_id": "canary", "client_secret": "canary", "registered_at": "2026-01-05T11:00:00Z", "expires_at": "2026-04-05T11:00:00Z"}',
            'm{"version": 1, "servers": [["cursor", "x", "/f", "dev", true, null, null, null]]}\n{"broken": [["a", "b", "c"]], "seen": {"/f": [1, 2]}, "asked": []}\n',
            's{"version": 1, "watcher": {"running": true, "pid": 1}}',
        ),
        (*_JSON_WORDS, *_MOMENTS),
    ),
    Parser(
        "socket_request",
        socket_request,
        _texts('{"version": 1, "do": "status"}\n', '{"version": 2, "do": "canary"}', "[[[["),
        (*_JSON_WORDS, "version", "do", "look"),
    ),
    Parser(
        "callback",
        callback,
        _texts(
            f"GET /oauth/callback?code=canary&state={_STATE} HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
            f"GET /oauth/callback?error=access_denied&state={_STATE} HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nX: y\r\n\r\n",
            "GET /oauth/callback?code=canary&state=canary HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: localhost:PORT\r\nContent-Length: 3\r\n\r\nabc",
        ),
        (
            "GET ",
            "HEAD ",
            "/oauth/callback",
            "?code=",
            "&state=",
            "error=",
            "right-state",
            " HTTP/1.1\r\n",
            "Host: 127.0.0.1:PORT\r\n",
            "\r\n\r\n",
            "%00",
            "%ff",
            "&",
            ";",
            "+",
        ),
    ),
    Parser(
        "command_line",
        command_line,
        _texts(
            *(
                "\0".join(words)
                for words in (
                    ["status", "dev", "--check", "--min", "5m"],
                    ["login", "corp", "--method", "pkce"],
                    ["ensure", "dev", "--timeout", "1h", "--login", "never"],
                    ["exec", "dev", "--", "ls"],
                    ["mcp", "wrap", "--wait", "1h", "--", "x"],
                    ["pause", "corp", "off"],
                    ["refresh", "--json", "corp"],
                    ["--config", "x", "doctor"],
                )
            )
        ),
        (
            *cli.COMMANDS,
            "\0",
            "\0--",
            "--json",
            "--help",
            "--method",
            "--login",
            "--min",
            "=",
            "-",
            "\udc80".encode("utf-8", "surrogateescape").decode("latin-1"),
        ),
    ),
    Parser(
        "spans_and_times",
        spans_and_times,
        _texts("1h30m", "100ms", "17:30", "55 8 * * mon-fri", "*/5 0-23/2 1,15 jan sun", "22:00-07:00", "0 0 31 2 *"),
        ("d", "h", "m", "s", "ms", ":", "*", "*/", "-", ",", "last", "mon", "0 0 29 2 *", "2nd"),
    ),
    Parser(
        "error_text",
        error_text,
        _error_seeds,
        (
            "\x1b[31m",
            "\\n",
            "\\u001b",
            "│",
            "botocore.exceptions.",
            "aws sso login --profile dev",
            "corp",
            ".py:1",
            "\x9b",
            "\u202e",
            "InvalidGrantException",
        ),
    ),
    Parser(
        "wrap_line",
        wrap_line,
        _line_seeds,
        (
            *_JSON_WORDS,
            "method",
            "tools/call",
            "result",
            "error",
            "isError",
            "content",
            "progressToken",
            "params",
            "_meta",
            "requestId",
            "annotations",
        ),
    ),
    Parser(
        "identity_center",
        identity_center,
        _center_seeds,
        (
            *_JSON_WORDS,
            *_TOKEN_WORDS,
            "expiresIn",
            "accountList",
            "error",
            "error_description",
            "#x-amzn-errortype:",
            "#date:",
            "#content-type:",
            "InvalidGrantException",
            "__type",
            "interval",
            "verificationUriComplete",
        ),
    ),
    Parser(
        "shown_name",
        shown_name,
        _texts("corp", "\u202ecorp", "a\x1b[31mb", "a\nb", "\ufeff", "\ud7ff"),
        ("\x1b]0;", "\n", "\u2028", "\u200b", "\x9b"),
    ),
)
