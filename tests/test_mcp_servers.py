"""`ssowatch mcp servers`, and what discovery is used for: status, `watch: mcp`, notices; with and without a watcher."""

from __future__ import annotations

import asyncio
import json
import stat
from datetime import timedelta
from pathlib import Path

import homes
import pytest
from homes import PATIENCE, ssowatch, token, wait_for, watcher

from ssowatch import cli, files, paths
from ssowatch.clock import utc_now
from ssowatch.commands import mcp
from ssowatch.mcp import found, rediscovery, table
from ssowatch.mcp.due import asked, due
from ssowatch.mcp.model import Broken, Found, McpServer
from ssowatch.model import Problem
from ssowatch.settings import Mcp, Settings
from ssowatch.world import World

pytestmark = pytest.mark.real
LAB = """
[sso-session lab]
sso_start_url = https://d-2.awsapps.com/start
sso_region = us-east-1
[profile only]
sso_session = lab
sso_account_id = 111111111111
sso_role_name = x
"""
SECRETS = {"KB_API_KEY": "canary-key", "GITHUB_TOKEN": "canary-token"}
KEYS = ["client", "server", "file", "profile", "sign_in", "certain", "problem"]


def client_config(home: Path, name: str = ".claude.json", **servers: dict[str, object]) -> Path:
    """A client's config file, with secrets in each server's env and elsewhere."""
    for server in servers.values():
        server["env"] = {**SECRETS, **server.get("env", {})}  # type: ignore[dict-item]
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"oauthAccount": "canary-account", "mcpServers": servers}))
    fresh.replace(path)
    return path


def uvx(*arguments: str, **env: str) -> dict[str, object]:
    return {"command": "uvx", "args": ["awslabs.x", *arguments], "env": env}


# The command


def test_each_word_is_a_module_with_arguments_and_a_run(capsys):
    for word in mcp.COMMANDS:
        assert cli.main(["mcp", word, "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"usage: ssowatch mcp {word}")


WRONG = [
    (["mcp"], "error: the following arguments are required: COMMAND\n"),
    (["mcp", "nothing"], "error: argument COMMAND: invalid choice"),
    (["mcp", "servers", "--nothing"], "error: unrecognized arguments: --nothing"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_a_wrong_word_is_said(words, said, capsys):
    assert cli.main(words) == 2
    shown = capsys.readouterr().err
    assert "usage: ssowatch mcp" in shown
    assert said in shown


def test_the_help_names_each_word(capsys):
    assert cli.main(["mcp", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {word} " in shown for word in mcp.COMMANDS)


def test_the_json_has_exactly_the_keys_of_the_contract(home):
    homes.aws_config(home)
    path = client_config(home, kb=uvx(AWS_PROFILE="dev"), gone=uvx(AWS_PROFILE="gone"), files={"command": "npx"})
    answer = ssowatch("mcp", "servers", "--json")
    document = json.loads(answer.stdout)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert (document["version"], document["broken"]) == (1, [])
    assert [list(one) for one in document["servers"]] == [KEYS, KEYS]
    good, bad = document["servers"]
    assert good == {
        "client": "claude-code",
        "server": "kb",
        "file": str(path),
        "profile": "dev",
        "sign_in": "corp",
        "certain": True,
        "problem": None,
    }
    assert (bad["sign_in"], bad["problem"]["code"], list(bad["problem"])) == (
        None,
        "unknown_profile",
        ["code", "message", "fix"],
    )


def test_no_secret_leaves_a_clients_config(home):
    homes.aws_config(home)
    client_config(
        home,
        kb=uvx("--token", "canary-word", AWS_PROFILE="dev"),
        keys=uvx(AWS_ACCESS_KEY_ID="canary-id", AWS_SECRET_ACCESS_KEY="canary-secret"),
    )
    client_config(home, ".cursor/mcp.json").write_text('{"mcpServers": {"kb": canary-broken')
    said = [ssowatch("mcp", *words) for words in (["servers"], ["servers", "--json"], ["discover"])]
    said.append(ssowatch("status"))
    left = [path.read_text() for path in Path(paths.state_dir()).rglob("*") if path.is_file()]
    assert [text for one in said for text in (one.stdout, one.stderr) if "canary" in text] == []
    assert [text for text in left if "canary" in text] == []
    assert "line 1: is not JSON" in said[0].stdout
    mode = Path(paths.mcp_servers_file()).stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_wrong_config_of_ours_is_said(home):
    homes.own_config(home, "mcp: {discover: maybe}\n")
    answer = ssowatch("mcp", "servers")
    assert (answer.returncode, "mcp.discover" in answer.stderr) == (78, True)


def test_without_any_it_says_so(home):
    homes.aws_config(home)
    assert ssowatch("mcp", "servers").stdout == "No MCP server that uses AWS was found.\n"
    homes.own_config(home, "mcp: {discover: false}\n")
    assert "mcp.discover: false" in ssowatch("mcp", "servers").stdout


SHOWN = (
    McpServer("claude-code", "aws-kb", "/home/me/.claude.json", "dev", "corp", certain=True),
    *(McpServer("claude-code", "iac", f"/home/me/p{n}/.mcp.json", "default", "corp") for n in range(6)),
    McpServer(
        "cursor", "s3", "/x", "dev", "corp", certain=True, problem=Problem("frozen_keys", "they run out", "restart")
    ),
    McpServer("codex", "ev\u202eil\x1b[2J", "/x\n/y", None, None, problem=Problem("no_profile", "names none " * 20)),
    McpServer("vscode", "asks", "/home/me/.vscode/mcp.json", None, None, problem=Problem("unknown_profile", "later")),
)


@pytest.mark.parametrize("width", [80, 50])
def test_what_a_person_reads(width):
    text = table.table(SHOWN, [Broken("cursor", "/home/me/.cursor/mcp.json", "line 3: is not JSON")], "/home/me", width)
    assert max(map(len, text.splitlines())) <= width
    assert all(line.isprintable() for line in text.splitlines())
    words = " ".join(text.split())
    for part in (
        "On the sign-in corp: aws-kb (Claude Code): profile dev ~/.claude.json iac",
        "iac (Claude Code): profile default, which its file does not name ~/p0/.mcp.json ~/p1/.mcp.json ~/p2/.mcp.json and 3 more",
        "s3 (Cursor): profile dev /x ! they run out > restart",
        "On none that ssowatch looks after: ev il [2J (Codex): names no profile",
        "asks (VS Code): profile unknown",
        "Not read: ~/.cursor/mcp.json line 3: is not JSON",
        "Restart s3 (Cursor)",
    ):
        assert part in words


# What is kept


def test_what_was_found_is_kept_as_it_was(home):
    result = Found(SHOWN[:1] + SHOWN[-1:], (Broken("", "/x", "y"),), {"/a": (1, 2, 3, 4), "/b": None}, ("True", "/c"))
    found.save(result)
    kept = found.load()
    assert kept == Found((McpServer("claude-code", "aws-kb", "/home/me/.claude.json", "dev", None, certain=True), *result.servers[1:]), *[result.broken, result.seen, result.asked])  # fmt: skip


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b"null", b'{"version": 2}', b'{"version": 1, "servers": [[]]}']
)
def test_a_file_of_ours_that_is_none_counts_as_not_there(home, content):
    files.private_dir(paths.state_dir())
    Path(paths.mcp_servers_file()).write_bytes(content)
    assert found.load() is None
    homes.aws_config(home)
    homes.own_config(home, "watch: mcp\n")
    assert [row.sign_in.name for row in World(recording=False).look(utc_now()).rows] == ["corp"]  # nobody knows


OFF = Mcp(discover=False)
DUE = [
    # id, config, what was found last, what happens then, whether to look again
    ("nothing is there", Mcp(), None, None, False),
    ("a client is there", Mcp(), None, "write", True),
    ("switched off", OFF, None, "write", False),
    ("only files of ours", Mcp(discover=False, configs=("/x",)), None, None, True),
    ("nothing happened", Mcp(), "now", None, False),
    ("a file came", Mcp(), "now", "write", True),
    ("our config asks for more", Mcp(configs=("/x",)), "now", None, True),
    ("switched off since", OFF, "now", "write", False),
]


@pytest.mark.parametrize(("config", "last", "happens", "again"), [row[1:] for row in DUE], ids=[row[0] for row in DUE])
def test_when_to_look_again(home, config, last, happens, again):
    path = home / ".cursor" / "mcp.json"
    before = Found(seen={str(path): files.signature(str(path))}, asked=asked(Mcp())) if last else None
    if happens:
        client_config(home, ".cursor/mcp.json")
    assert due(config, before) is again


# What it is used for


def names(answer: dict[str, object]) -> dict[str, list[str]]:
    return {one["name"]: [each["server"] for each in one["mcp_servers"]] for one in answer["sign_ins"]}


def test_status_without_a_watcher_shows_what_was_found_last_and_looks_for_nothing(home):
    homes.aws_config(home, homes.CONFIG + LAB)
    homes.write_token(token())
    client_config(home, kb=uvx(AWS_PROFILE="dev"), ro={**uvx(AWS_PROFILE="nope")})
    assert names(homes.status()) == {"corp": [], "lab": []}
    assert not Path(paths.mcp_servers_file()).exists()
    ssowatch("mcp", "servers")
    client_config(home, kb=uvx(AWS_PROFILE="only"))
    assert homes.sign_in()["mcp_servers"] == [
        {"client": "claude-code", "server": "kb", "profile": "dev", "certain": True}
    ]
    assert "dev, prod, kb (Claude Code)" in ssowatch("status").stdout
    # The AWS config as it is now decides what a profile means.
    homes.aws_config(home, homes.CONFIG.replace("profile dev", "profile old") + LAB.replace("only", "dev"))
    assert names(homes.status()) == {"corp": [], "lab": ["kb"]}


def test_watch_mcp_looks_after_what_servers_hang_on(home):
    homes.aws_config(home, homes.CONFIG + LAB)
    homes.own_config(home, "watch: mcp\n")
    ro = {"command": "docker", "args": ["run", "-e", "AWS_PROFILE=dev", "-v", f"{home}/.aws:/root/.aws:ro", "x"]}
    client_config(home, ro=ro)
    assert list(names(homes.status())) == ["corp", "lab"]  # nobody looked yet
    ssowatch("mcp", "servers")
    answer = homes.status()
    assert names(answer) == {"corp": []}  # with a problem of its own, but it hangs on it
    assert [(one["profile"], "no MCP server" in one["reason"]) for one in answer["unwatched"]] == [("only", True)]
    homes.own_config(home, "watch: mcp\nmcp: {discover: false}\n")
    assert names(homes.status()) == {}


@pytest.mark.real
def test_the_watcher_names_the_servers_that_stop(home):
    program = home / "tell"
    program.write_text(f'#!/bin/sh\ncat >> "{home}/notices"\n')
    program.chmod(0o755)
    homes.own_config(
        home,
        f"heartbeat: 200ms\nquiet: {{when_locked: false, when_idle: false}}\nnotify: [{{command: ['{program}']}}]\n",
    )
    homes.aws_config(home, homes.CONFIG + LAB)
    homes.write_token(token(timedelta(minutes=10), refreshToken=None))
    client_config(home, kb=uvx(AWS_PROFILE="dev"))
    assert ssowatch("mcp", "discover").returncode == 0  # as in a home where a watcher ran before
    with watcher(home) as running:
        running.until(lambda now: names(now) == {"corp": ["kb"], "lab": []}, "the server is known", PATIENCE)
        wait_for(lambda: (home / "notices").exists() and (home / "notices").read_text(), "the notice", PATIENCE)
        notice = json.loads((home / "notices").read_text().splitlines()[0])
        assert "Then dev, prod and kb (Claude Code) stop." in notice["message"]
        assert notice["sign_in"]["mcp_servers"][0]["server"] == "kb"
        client_config(home, kb=uvx(AWS_PROFILE="dev"), two=uvx(AWS_PROFILE="only"))
        assert ssowatch("mcp", "servers").returncode == 0  # on demand
        running.until(lambda now: names(now) == {"corp": ["kb"], "lab": ["two"]}, "it is found at once", PATIENCE)
        homes.own_config(home, "heartbeat: 200ms\nmcp: {discover: false}\n")
        running.until(lambda now: names(now) == {"corp": [], "lab": []}, "discovery is switched off", PATIENCE)
    log = (home / "watcher.log").read_text()
    assert "canary" not in log + Path(paths.status_file()).read_text()


def test_the_first_look_of_all_is_waited_for(home, monkeypatch):
    monkeypatch.setattr(rediscovery, "_FIRST_SECONDS", PATIENCE)
    client_config(home, kb=uvx(AWS_PROFILE="dev"))
    ticks = []

    async def start() -> None:
        looking = rediscovery.Rediscovery(lambda: ticks.append(found.servers()))
        await looking.first(Settings(), asyncio.Event())
        await looking.close()

    asyncio.run(start())
    assert [[one.server for one in servers or ()] for servers in ticks] == [["kb"]]


def test_an_end_of_the_watcher_does_not_wait_for_it(home):
    client_config(home, kb=uvx(AWS_PROFILE="dev"))

    async def start() -> None:
        looking, stop = rediscovery.Rediscovery(lambda: None), asyncio.Event()
        stop.set()
        await looking.first(Settings(), stop)
        await looking.close()

    asyncio.run(start())
    assert found.load() is None  # the child was ended before it had looked


@pytest.mark.real
def test_the_watcher_looks_only_where_a_client_is(home):
    homes.own_config(home, "heartbeat: 200ms\n")
    homes.aws_config(home)
    with watcher(home) as running:
        running.until_state("signed_out")
        assert not Path(paths.mcp_servers_file()).exists()
        client_config(home, ".kiro/settings/mcp.json", kb=uvx(AWS_PROFILE="dev"))
        running.until(lambda now: names(now) == {"corp": ["kb"]}, "the first client is found", PATIENCE)
        wait_for(lambda: "MCP servers that use AWS: 1" in (home / "watcher.log").read_text(), "it is said", PATIENCE)
