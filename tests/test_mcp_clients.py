"""Every row of the table of MCP clients, in every shape that its files can take (a contract test over the table)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import homes
import mcp_samples
import pytest
from mcp_samples import SAMPLES

from ssowatch import awsconfig, files, paths
from ssowatch.mcp import clients, names, projects, shapes
from ssowatch.mcp.clients import PLACES, Place
from ssowatch.mcp.discovery import discover
from ssowatch.mcp.model import Found
from ssowatch.mcp.places import Where
from ssowatch.settings import Mcp

AWS = awsconfig.parse(homes.CONFIG, None)
ROWS = [
    pytest.param(place, document, id=f"{place.client} {place.pattern} {form}")
    for place in PLACES
    for form, document in SAMPLES[place.shape].items()
]


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """What stands for the root of the file system."""
    return tmp_path / "system"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def look(home: Path, system: Path, mcp: Mcp | None = None, **environ: str) -> Found:
    return discover(mcp or Mcp(), AWS, Where(str(home), environ, str(system)))


def test_every_shape_and_client_is_known():
    assert {place.shape for place in PLACES} == SAMPLES.keys()
    assert {place.client for place in PLACES} | {"other"} == names.CLIENTS.keys()


ODD = [
    None,
    7,
    "x",
    [],
    {},
    {"mcpServers": 7},
    {"mcpServers": {"a": "x", "b": 7, "c": ["x"]}},
    {"mcpServers": ["x", {"command": "x"}, {"name": 7, "command": "x"}]},
    {"mcp": {"servers": 7}},
    {"projects": 7, "locations": 7, "folder": 7},
    {"projects": ["/x"], "locations": ["/x"], "folder": "/x"},
    {"projects": {"/x": 7}, "folder": "file:x"},
    {"plugins": ["x"]},
    {"plugins": {"a": 7, "b": ["x", {}, {"installPath": 7}, {"installPath": "x"}, {"installPath": "/a\nb"}]}},
]


@pytest.mark.parametrize("document", ODD, ids=map(str, ODD))
def test_what_is_not_of_the_expected_type_is_not_there(document):
    assert [entry for shape in SAMPLES for entry in shape(document)] == []
    assert projects.installed(document) == []
    assert [folder for _, read in projects.SOURCES for folder in read(document) if folder != "/x"] == []


def test_a_file_that_is_made_large_is_read_in_part():
    [entry] = shapes.MCP_SERVERS(
        {
            "mcpServers": {
                "n" * 201: {
                    "command": "x",
                    "args": ["w" * 8193] * 201,
                    "env": {f"V{number}": "x" for number in range(201)},
                }
            }
        }
    )
    assert (len(entry.server), len(entry.words), len(entry.words[1]), len(entry.env)) == (200, 201, 8192, 200)
    many = {f"s{number}": {"command": "x"} for number in range(201)}
    assert len(list(shapes.MCP_SERVERS({"mcpServers": many}))) == 200
    assert len(list(shapes.MCP_SERVERS({"mcpServers": [{"name": name, **one} for name, one in many.items()]}))) == 200
    folders = [f"/{number}" for number in range(1001)]
    assert len(projects.SOURCES[0][1]({"projects": dict.fromkeys(folders)})) == 1000
    assert len(projects.installed({"plugins": {"p": [{"installPath": folder} for folder in folders]}})) == 1000
    assert len(projects.with_parents(folders, "/home/me")) == 1000


PARENTS = [
    # folder that a client recorded, it and those above it in the home /home/me
    ("/home/me/a/b", ["/home/me/a/b", "/home/me/a", "/home/me"]),
    ("/home/me/", ["/home/me"]),
    ("/srv/a", ["/srv/a", "/srv"]),
    ("/", []),
    ("", []),
    ("relative/a", []),
    ("/a\nb", []),
    ("/a" * 64, []),
]


@pytest.mark.parametrize(("folder", "found"), PARENTS)
def test_the_folders_above_a_project(folder, found):
    assert projects.with_parents([folder], "/home/me") == found


def test_folders_above_several_projects_are_there_once():
    found = projects.with_parents(["/home/me/a/b", "/home/me/a/c"], "/home/me")
    assert found == ["/home/me/a/b", "/home/me/a", "/home/me", "/home/me/a/c"]
    assert len(projects.with_parents(["/a" * 63], "/home/me")) == 63


@pytest.mark.parametrize(("place", "document"), ROWS)
def test_a_row_finds_its_server(home, system, tmp_path, monkeypatch, place, document):
    monkeypatch.setattr("sys.platform", "linux")
    project, plugin, elsewhere = home / "work" / "x", home / "plugins" / "p", tmp_path / "elsewhere"
    path = mcp_samples.file_for(place, home, project, plugin, system, elsewhere)
    write(path, mcp_samples.text(str(path), document))
    write(home / ".codex" / "config.toml", f'[projects."{project}"]\n') if place.client != "codex" else write(
        home / ".claude.json", f'{{"projects": {{"{project}": {{}}}}}}'
    )
    write(home / projects.INSTALLED_PLUGINS[2:], f'{{"plugins": {{"p": [{{"installPath": "{plugin}"}}]}}}}')
    variable = place.pattern.partition("/")[0]
    environ = {variable[1:]: str(elsewhere if "/" in place.pattern else path)} if variable.startswith("$") else {}
    found = look(home, system, **environ)
    assert not found.broken
    server = next(one for one in found.servers if one.server in {"aws-kb", "servers"})
    assert {one.server for one in found.servers} <= {"aws-kb", "servers"}  # none without a sign of AWS
    assert (server.client, server.profile, server.certain, server.file) == (place.client, "dev", True, str(path))
    assert (server.problem.code if server.problem else None) == ("elsewhere" if place.elsewhere else None)
    assert "canary" not in repr(found)


def of(found: Found) -> set[tuple[str, str]]:
    return {(one.server, str(one.profile)) for one in found.servers}


def server(profile: str = "dev", name: str = "aws") -> str:
    return f'{{"mcpServers": {{"{name}": {{"command": "x", "env": {{"AWS_PROFILE": "{profile}"}}}}}}}}'


RECORDED = [
    # id, file below the home, its text with the project in place of @
    ("Claude Code", ".claude.json", '{"projects": {"@": {}}}'),
    ("VS Code", ".config/Code/User/workspaceStorage/1f/workspace.json", '{"folder": "file://@"}'),
    ("Cursor", ".config/Cursor/User/workspaceStorage/1f/workspace.json", '{"folder": "file://@"}'),
    ("Codex", ".codex/config.toml", '[projects."@"]\ntrust_level = "trusted"\n'),
    ("Copilot CLI", ".copilot/permissions-config.json", '{"locations": {"@": {}}}'),
]


@pytest.mark.parametrize(("name", "text"), [row[1:] for row in RECORDED], ids=[row[0] for row in RECORDED])
@pytest.mark.parametrize("depth", ["", "/deep/inside"])
def test_where_projects_come_from(home, system, monkeypatch, name, text, depth):
    monkeypatch.setattr("sys.platform", "linux")
    project = home / "my work" / "ä"
    write(project / ".mcp.json", server())
    where = f"{project}{depth}"
    write(
        home / name, text.replace("@", where.replace(" ", "%20").replace("ä", "%C3%A4") if "file:" in text else where)
    )
    assert of(look(home, system)) == {("aws", "dev")}


def test_a_project_of_another_machine_is_none_of_ours(home, system):
    write(home / "p" / ".mcp.json", server())
    write(
        home / ".config/Code/User/workspaceStorage/1f/workspace.json",
        f'{{"folder": "vscode-remote://ssh-remote+x{home}/p"}}',
    )
    assert not look(home, system).servers


def test_a_file_that_several_clients_read_counts_once(home, system):
    write(home / ".claude.json", f'{{"projects": {{"{home}": {{}}, "{home}/p": {{}}}}}}')
    write(home / "p" / ".mcp.json", server())
    write(home / ".gemini" / "settings.json", server(name="gem"))  # the user's, and that of the project `~`
    (home / "p" / ".vscode").symlink_to(home / "p")
    found = look(home, system)
    assert sorted((one.client, one.server) for one in found.servers) == [("claude-code", "aws"), ("gemini-cli", "gem")]


LEGACY = [
    # id, text of an agent's file or None, where it lies, whether the older mcp.json counts
    ("no agent", None, "", True),
    ("an agent without it", "{}", ".aws/amazonq", False),
    ("an agent that asks for it", '{"useLegacyMcpJson": true}', ".aws/amazonq", True),
    ("an agent that is broken", "{", ".aws/amazonq", False),
    ("an agent of a project", "{}", "work/.amazonq", True),
]


@pytest.mark.parametrize(("agent", "folder", "counts"), [row[1:] for row in LEGACY], ids=[row[0] for row in LEGACY])
def test_amazon_qs_older_file(home, system, agent, folder, counts):
    write(home / ".claude.json", f'{{"projects": {{"{home}/work": {{}}}}}}')
    write(home / ".aws/amazonq/mcp.json", server())
    if agent is not None:
        write(home / folder / "cli-agents/my.json", agent)
    assert bool(look(home, system).servers) is counts


def test_plugins_that_lie_there_count_where_no_list_tells(home, system):
    for folder in ("cache/market/p/1.0", "repos/q", "marketplaces/r", "synced/node_modules/s"):
        write(home / ".claude/plugins" / folder / ".mcp.json", server(name=folder.partition("/")[0]))
    write(home / ".claude/plugins/synced/t/.claude-plugin/plugin.json", server(name="inline"))
    assert {name for name, _ in of(look(home, system))} == {"cache", "repos", "inline"}
    write(
        home / ".claude/plugins/installed_plugins.json", f'{{"plugins": {{"p": [{{"installPath": "{home}/none"}}]}}}}'
    )
    assert not look(home, system).servers


NAMED = [
    # the path that `mcp.configs` names, as a client
    (".mcp.json", "claude-code"),
    ("x/.cursor/mcp.json", "cursor"),
    ("AppData/Roaming/Claude/claude_desktop_config.json", "claude-desktop"),
    ("x/settings/cline_mcp_settings.json", "other"),
    ("mine.json", "other"),
    ("mine.yaml", "other"),
]


@pytest.mark.parametrize(("name", "client"), NAMED)
@pytest.mark.parametrize("discover_too", [True, False])
def test_files_that_our_config_names(home, system, name, client, discover_too):
    write(home / "mine" / name, server())
    write(home / ".cursor" / "mcp.json", server("prod", "other-aws"))
    found = look(home, system, Mcp(discover=discover_too, configs=(f"~/mine/{name}", "~/none.json")))
    own = next(one for one in found.servers if one.profile == "dev")
    assert (own.client, own.file) == (client, str(home / "mine" / name))
    assert ("other-aws" in {one.server for one in found.servers}) is discover_too
    assert [one.file for one in found.broken] == [str(home / "none.json")]
    assert clients.known_by("/nothing/like/it.json") is None


BROKEN = [
    # id, file below the home, content, words
    ("JSON", ".cursor/mcp.json", b'{"mcpServers": {\n  "aws": {\n', "line 2: is not JSON"),
    ("not text", ".cursor/mcp.json", b"\xff\xfe{}", "line 1: is not UTF-8 text"),
    ("too deep", ".cursor/mcp.json", b"[" * 200 + b"]" * 200, "nested deeper than 100"),
    ("TOML", ".codex/config.toml", b"[mcp_servers\n", "line 1: is not TOML"),
    ("YAML", ".config/goose/config.yaml", b"a: b\nextensions: [\n", "is not YAML"),
    ("a tag of YAML", ".config/goose/config.yaml", b"a: !!python/object/apply:os.getcwd []\n", "line 1: is not YAML"),
    ("aliases of YAML", ".config/goose/config.yaml", b"a: &a 1\nb: [" + b"*a, " * 300 + b"]", "more than 200 aliases"),
    ("deep YAML", ".config/goose/config.yaml", b"- " * 200 + b"x", "nested deeper than 100"),
    ("large YAML", ".config/goose/config.yaml", b"#" * (1 << 20) + b"#", "larger than"),
    ("a directory", ".cursor/mcp.json", None, "is not a regular file"),
]


@pytest.mark.parametrize(("name", "content", "words"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_broken_file_is_named_and_harms_no_other(home, system, name, content, words):
    write(home / ".claude.json", server())
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if content is None else path.write_bytes(content)
    found = look(home, system)
    assert of(found) == {("aws", "dev")}
    assert [one.file for one in found.broken] == [str(path)]
    assert words in found.broken[0].message


def test_odd_files_are_refused(home, system):
    write(home / ".claude.json", server())
    (home / ".cursor").mkdir()
    os.mkfifo(home / ".cursor" / "mcp.json")
    write(home / ".kiro/settings/mcp.json", "").unlink()
    (home / ".kiro/settings/mcp.json").symlink_to(home / ".kiro/settings/mcp.json")
    write(home / ".gemini/settings.json", "").unlink()
    (home / ".gemini/settings.json").symlink_to(write(home / "dotfiles/gemini.json", server(name="linked")))
    large = write(home / ".copilot/mcp-config.json", "")
    os.truncate(large, 21 << 20)
    found = look(home, system)
    assert {name for name, _ in of(found)} == {"aws", "linked"}
    assert {one.message for one in found.broken} == {
        "is not a regular file",
        "is a loop of symbolic links",
        f"is larger than {20 << 20} bytes",
    }


def test_what_bears_on_the_result_is_remembered_however_many_projects_there_are(home, system):
    for number in range(100):
        (home / "work" / str(number)).mkdir(parents=True)
    write(home / ".claude.json", json.dumps({"projects": {str(path): {} for path in (home / "work").iterdir()}}))
    last = str(write(home / "work" / "99" / "opencode.json", server()))
    seen = look(home, system).seen
    assert seen[last] == files.signature(last)
    assert seen[str(home / ".config" / "zed" / "settings.json")] is None
    assert len(seen) < 1000


def test_an_empty_home_has_none(home, system):
    assert look(home, system).servers == ()
    assert look(home, system).broken == ()
    assert paths.mcp_servers_file().startswith(str(home))


def test_the_rows_of_a_client_are_in_one_place():
    order = [place.client for place in PLACES]
    assert order == sorted(order, key=list(names.CLIENTS).index)
    assert isinstance(PLACES[0], Place)


@pytest.mark.parametrize(("client", "name"), [("vscode", "VS Code"), ("a newer\none", "a newer one")])
def test_what_a_client_is_called(client, name):
    assert names.called(client) == name
