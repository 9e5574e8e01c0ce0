"""`mcp snippet`: what is pasted is read back by discovery, in every shape; no secret is shown."""

from __future__ import annotations

import json
import tomllib

import homes
import mcp_samples
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp_samples import SAMPLES

from ssowatch import awsconfig
from ssowatch.mcp import parsers, projects, shapes, snippets
from ssowatch.mcp.clients import PLACES
from ssowatch.mcp.discovery import discover
from ssowatch.mcp.places import Where
from ssowatch.settings import Mcp

AWS = awsconfig.parse(homes.CONFIG, None)
PROGRAM = "/home/me/.local/bin/ssowatch"
ROWS = {
    f"{place.client} {place.pattern.rpartition('.')[2]} {form}": (place, document)  # how a file is called is no matter
    for place in reversed(PLACES)
    for form, document in SAMPLES[place.shape].items()
}


def ending(pattern: str) -> str:
    return f"x.{pattern.rpartition('.')[2]}" if pattern.endswith((".toml", ".yaml", ".yml")) else "x.json"


@pytest.mark.parametrize("server", ["another", "x" * 200])
def test_a_server_that_is_not_called_so_has_none(server):
    document = {"mcpServers": {"aws-kb": {"command": "uvx"}, "x" * 201: {"command": "uvx"}}}
    assert snippets.snippets("x.json", document, "claude-code", server, "dev", PROGRAM) == []


def test_characters_that_a_terminal_does_not_show_are_escaped_as_the_file_does():
    entry = {"mcpServers": {"kb": {"command": "uvx", "args": ["a\u202eb", "c\U000e0001d"]}}}
    [made] = snippets.snippets("x.json", entry, "claude-code", "kb", None, PROGRAM)
    assert "a\\u202eb" in made.text
    assert "c\\udb40\\udc01d" in made.text
    [made] = snippets.snippets("x.toml", {"mcp_servers": entry["mcpServers"]}, "codex", "kb", None, PROGRAM)
    assert "a\\u202eb" in made.text
    assert "c\\U000e0001d" in made.text


WRITTEN = [
    # file, where the server stands, what is to be pasted
    (
        "x.json",
        {"mcpServers": {"kä": {"command": "x"}}},
        '{\n  "mcpServers": {\n    "kä": {\n      "command": "s",\n      "args": [\n        "mcp",\n        "wrap",\n        "--",\n        "x"\n      ]\n    }\n  }\n}',
    ),
    (
        "x.json",
        {"mcpServers": [{"name": "kb", "command": ["x"]}]},
        '{\n  "mcpServers": [\n    {\n      "name": "kb",\n      "command": [\n        "s",\n        "mcp",\n        "wrap",\n        "--",\n        "x"\n      ]\n    }\n  ]\n}',
    ),
    ("x.toml", {"mcp_servers": {"kb": {"command": "x"}}}, '[mcp_servers.kb]\ncommand = "s"\nargs = ["mcp", "wrap", "--", "x"]'),
    ("x.toml", {"mcp_servers": {"k ä": {"command": "x"}}}, '[mcp_servers."k ä"]\ncommand = "s"\nargs = ["mcp", "wrap", "--", "x"]'),
    ("x.yaml", {"extensions": {"kb": {"cmd": "x"}}}, 'extensions:\n  "kb":\n    cmd: "s"\n    args: ["mcp", "wrap", "--", "x"]'),
    (
        "x.yaml",
        {"mcpServers": [{"name": "kb", "command": "x"}]},
        'mcpServers:\n  - name: "kb"\n    command: "s"\n    args: ["mcp", "wrap", "--", "x"]',
    ),
    ("x.yml", {"powers": {"mcpServers": {"kb": {"command": "x"}}}}, 'powers:\n  mcpServers:\n    "kb":\n      command: "s"\n      args: ["mcp", "wrap", "--", "x"]'),
]  # fmt: skip


@pytest.mark.parametrize(("path", "document", "text"), WRITTEN)
def test_what_is_pasted_looks_as_the_file_does(path, document, text):
    server = "kb" if "kb" in str(document) else next(iter(next(iter(document.values()))))
    [made] = snippets.snippets(path, document, "kiro", server, None, "s")
    assert made.text == text


@pytest.mark.parametrize("other", [7, {"url": "https://example.com"}])
def test_another_entry_of_this_name_is_passed_over(other):
    document = {"mcpServers": {"kb": other}, "servers": {"kb": {"command": "x"}}}
    [made] = snippets.snippets("x.json", document, "cursor", "kb", None, PROGRAM)
    assert list(json.loads(made.text)) == ["servers"]


WRAPPED = [
    # the command, whether our wrapper is in front already
    (["ssowatch", "mcp", "wrap", "--", "x"], True),
    (["uvx", "ssowatch", "mcp", "wrap", "--profile", "dev", "--", "x"], True),
    ([PROGRAM, "mcp", "wrap", "--", "x"], True),
    (["ssowatch", "exec", "dev", "--", "x"], False),
    (["another", "mcp", "wrap", "--", "x"], False),
]


@pytest.mark.parametrize(("words", "wrapped"), WRAPPED)
def test_whether_the_wrapper_is_in_front_already(words, wrapped):
    [made] = snippets.snippets("x.json", {"mcpServers": {"s": {"command": words}}}, "cursor", "s", "dev", PROGRAM)
    assert (made.text == "") is wrapped


KEPT = [
    ({"command": "uvx", "args": ["x"], "env": {"AWS_PROFILE": "dev"}, "timeout": 5}, ("env", "timeout")),
    ({"command": "uvx x"}, ()),
    ({"type": "local", "command": ["uvx", "x"], "environment": {}}, ("type", "environment")),
    ({"cmd": "uvx", "args": ["x"], "envs": {}, "type": "stdio"}, ("envs", "type")),
]


@pytest.mark.parametrize(("entry", "kept"), KEPT)
def test_which_keys_stay(entry, kept):
    [made] = snippets.snippets("x.json", {"mcpServers": {"s": entry}}, "cursor", "s", None, PROGRAM)
    assert made.kept == kept
    assert "--profile" not in made.text


SECRETS = [
    ["docker", "run", "-e", "API_KEY=canary", "img"],
    ["docker", "run", "--env=MY_SECRET=canary", "img"],
    ["x", "--api-key", "canary"],
    ["x", "--token=canary"],
    ["x", "--password", "canary", "--verbose"],
    ["env", "AWS_SECRET_ACCESS_KEY=canary", "x"],
    ["x", "https://me:canary@example.com/mcp"],
    ["x", "--auth-key=canary"],
    ["x", "--token=canary", "serve"],
]


@pytest.mark.parametrize("words", SECRETS)
def test_secrets_in_a_command_are_not_shown(words):
    [made] = snippets.snippets(
        "x.json", {"mcpServers": {"s": {"command": words[0], "args": words[1:]}}}, "cursor", "s", "dev", PROGRAM
    )
    assert "canary" not in made.text
    assert snippets.YOURS in made.text
    assert made.masked
    assert [word for word in words if "canary" not in word and json.dumps(word) not in made.text] == []


HARMLESS = [
    ["env", "AWS_PROFILE=dev", "uvx", "x"],
    ["uvx", "x@latest", "--region=eu-west-1"],
    ["npx", "-y", "tokens", "x"],
    ["x", "--token", "--verbose"],
]


@pytest.mark.parametrize("words", HARMLESS)
def test_the_rest_is(words):
    [made] = snippets.snippets(
        "x.json", {"mcpServers": {"s": {"command": words[0], "args": words[1:]}}}, "cursor", "s", "dev", PROGRAM
    )
    assert [word for word in words if json.dumps(word) not in made.text] == []
    assert not made.masked


@pytest.mark.parametrize(("place", "document"), ROWS.values(), ids=ROWS)
def test_what_is_pasted_is_read_back(home, tmp_path, monkeypatch, place, document):
    monkeypatch.setattr("sys.platform", "linux")
    path = ending(place.pattern)
    read = parsers.parse(path, mcp_samples.text(path, document).encode())
    server = (
        "servers" if "servers" in document.get("mcp", {}) and "aws-kb" not in document["mcp"]["servers"] else "aws-kb"
    )
    if isinstance(document.get("mcp", {}).get("servers"), dict) and "command" in document["mcp"]["servers"]:
        server = "servers"
    [made] = snippets.snippets(path, read, place.client, server, "dev", PROGRAM)
    assert "canary" not in made.text
    pasted = parsers.parse(path, made.text.encode())
    [entry] = [one for one in place.shape(pasted) if one.server == server]
    assert entry.words[:6] == (PROGRAM, "mcp", "wrap", "--profile", "dev", "--")
    [before] = [one for one in place.shape(read) if one.server == server]
    assert entry.words[6:] == before.words
    project, plugin, system, elsewhere = home / "work" / "x", home / "plugins" / "p", tmp_path / "s", tmp_path / "e"
    file = mcp_samples.file_for(place, home, project, plugin, system, elsewhere)
    variable = place.pattern.partition("/")[0]
    environ = {variable[1:]: str(elsewhere if "/" in place.pattern else file)} if variable.startswith("$") else {}
    recorded = ".claude.json" if place.client == "codex" else ".codex/config.toml"
    written = {
        home / recorded: f'{{"projects": {{"{project}": {{}}}}}}'
        if recorded.endswith("n")
        else f'[projects."{project}"]',
        home / projects.INSTALLED_PLUGINS[2:]: f'{{"plugins": {{"p": [{{"installPath": "{plugin}"}}]}}}}',
        file: made.text,
    }
    for each, text in written.items():
        each.parent.mkdir(parents=True, exist_ok=True)
        each.write_text(text)
    found = discover(Mcp(), AWS, Where(str(home), environ, str(system)))
    assert [(one.client, one.server, one.profile, one.certain) for one in found.servers] == [
        (place.client, server, "dev", True)
    ]


TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
READ = {"x.json": json.loads, "x.toml": tomllib.loads, "x.yaml": yaml.safe_load}


@given(TEXT, st.lists(TEXT, min_size=1, max_size=4), st.sampled_from(sorted(READ)))
@settings(max_examples=300, deadline=None)
def test_any_name_and_any_word_in_every_syntax(server, words, path):
    document = {"mcpServers": {server: {"command": words[0], "args": [*words[1:], "-"]}}}
    made = snippets.snippets(path, document, "cursor", server, None, PROGRAM)
    for one in made:
        assert all(line.isprintable() for line in one.text.splitlines())
        pasted = READ[path](one.text)
        assert list(pasted["mcpServers"]) == [server]
        if not one.masked:
            [entry] = shapes.MCP_SERVERS(document)
            assert pasted["mcpServers"][server]["args"][3:] == list(entry.words)


# The command


@pytest.fixture
def claude(home):
    homes.aws_config(home)
    path = home / ".claude.json"
    path.write_text(json.dumps({"mcpServers": mcp_samples.MAP, "projects": {"/p": {"mcpServers": mcp_samples.MAP}}}))
    return path


def test_the_command(claude):
    before = claude.read_bytes()
    ran = homes.ssowatch("mcp", "snippet", "claude-code", "aws-kb")
    assert ran.returncode == 0
    assert "In ~/.claude.json" in ran.stderr
    assert "Keep its other keys: env." in ran.stderr
    assert "canary" not in ran.stdout + ran.stderr
    decoder = json.JSONDecoder()
    of_user, end = decoder.raw_decode(ran.stdout)
    of_project, _ = decoder.raw_decode(ran.stdout[end:].lstrip())
    entry = of_user["mcpServers"]["aws-kb"]
    assert entry["command"].endswith("ssowatch")
    assert entry["args"] == ["mcp", "wrap", "--profile", "dev", "--", "uvx", "awslabs.iam-mcp-server@latest"]
    assert of_project == {"projects": {"/p": {"mcpServers": {"aws-kb": entry}}}}
    assert claude.read_bytes() == before, "nothing is written"


def test_a_server_that_is_wrapped_already(claude):
    entry = json.loads(homes.ssowatch("mcp", "snippet", "claude-code", "aws-kb").stdout.split("\n}\n")[0] + "\n}")
    claude.write_text(json.dumps(entry))
    ran = homes.ssowatch("mcp", "snippet", "claude-code", "aws-kb")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "already" in ran.stderr


def test_a_server_that_the_wrapper_cannot_help(claude):
    entry = {"command": "uvx", "args": ["aws-x"], "env": {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "canary"}}
    claude.write_text(json.dumps({"mcpServers": {"aws-x": entry}}))
    ran = homes.ssowatch("mcp", "snippet", "claude-code", "aws-x")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "does not help" in ran.stderr
    assert "canary" not in ran.stderr


UNKNOWN = [
    (["claude-code", "nope"], "known: aws-kb"),
    (["cursor", "aws-kb"], "known: none"),
    (["emacs", "x"], "choose"),
]


@pytest.mark.parametrize(("words", "said"), UNKNOWN)
def test_unknown_names(claude, words, said):
    ran = homes.ssowatch("mcp", "snippet", *words)
    assert ran.returncode == 2
    assert said in ran.stderr
