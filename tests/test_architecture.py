"""The house, as a test: who stands on which floor, and who may import which library, with the reason in each row.

The picture is in docs/architecture.md.
"""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pure_modules
import pytest

PACKAGE = Path(__file__).parent.parent / "ssowatch"

RANKS = [
    # rank, why, modules
    (0, "frozen values", {"mcp", "model", "wrapper"}),
    (
        1,
        "pure functions, and the two things so plain that everybody may use them: paths and the clock",
        {
            "acts",
            "answers",
            "aws_errors",
            "aws_document",
            "awsconfig",
            "awsfile",
            "awsprofiles",
            "clock",
            "completing",
            "config_diff",
            "doctor_text",
            "durations",
            "explanation",
            "forecast",
            "links",
            "flow_record",
            "heartbeat",
            "history",
            "kinds",
            "kinds.identity_center",
            "kinds.kind",
            "kinds.login",
            "login_text",
            "mcp.clients",
            "mcp.command_line",
            "mcp.expansion",
            "mcp.hanging",
            "mcp.model",
            "mcp.names",
            "mcp.profiles",
            "mcp.projects",
            "mcp.table",
            "mcp.shapes",
            "mcp.snippets",
            "notice_text",
            "only_an_error",
            "offers",
            "outcomes",
            "pkce",
            "quiet_hours",
            "squeezed",
            "time_of_day",
            "unusable",
            "result_page",
            "setup.step",
            "setup.verdict",
            "ways",
            "wish",
            "memory",
            "modes",
            "paragraphs",
            "paths",
            "plain",
            "planner",
            "problems",
            "profile_upgrade",
            "protocol",
            "renewed_in_use",
            "short_names",
            "start_urls",
            "status_table",
            "timing",
            "tokenfile",
            "wording",
            "wrapper.limits",
            "wrapper.messages",
            "wrapper.profile",
            "wrapper.readings",
            "wrapper.steps",
            "wrapper.words",
        },
    ),
    (
        2,
        "what every edge does to files: bounded reads, whole replacements, locks; and what becomes of memory",
        {"carried", "exchange", "files", "malloc", "spared", "undumpable"},
    ),
    (
        3,
        "edges: each owns one library or one part of the system, and imports no other edge",
        {
            "act_log",
            "cache",
            "asking",
            "authorization",
            "aws_clients",
            "aws_rewrite",
            "browser",
            "flows",
            "hooks",
            "listener",
            "login_command",
            "mcp.found",
            "mcp.parsers",
            "mcp.places",
            "notify",
            "notify.apprise",
            "notify.channel",
            "notify.command",
            "notify.desktop",
            "notify.dialog",
            "notify.toast",
            "only_one",
            "pauses",
            "presence",
            "registrations",
            "children",
            "client",
            "clock_set",
            "identity_center",
            "memories",
            "network",
            "published",
            "publishing",
            "schedule",
            "sdnotify",
            "server",
            "service",
            "service.by_hand",
            "service.kind",
            "service.launchd",
            "service.systemd",
            "settings",
            "setting_readers",
            "wakeup",
            "watch",
            "wrapper.calls",
            "wrapper.ensuring",
            "wrapper.leash",
            "wrapper.server",
            "yaml_layers",
        },
    ),
    (
        4,
        "composition: edges put together",
        {
            "renewal",
            "sign_in_steps",
            "doubt",
            "wrapper.holding",
            "wrapper.relay",
            "wrapper.restarting",
            "wrapper.sign_in",
            "asking_first",
            "asks",
            "ensuring",
            "flow_process",
            "hook_events",
            "joining",
            "mcp.discovery",
            "mcp.due",
            "mcp.rediscovery",
            "named",
            "notifier",
            "signing_in",
            "signing_out",
            "serving",
            "setup",
            "setup.aws_files",
            "setup.foreign_stores",
            "setup.kept_running",
            "setup.mcp_servers",
            "setup.notices",
            "setup.own_files",
            "setup.removal",
            "setup.renewable",
            "setup.shell_environment",
            "setup.signed_in",
            "standing",
            "survey",
            "upgrading",
            "doctor",
            "doctor.aws",
            "doctor.check",
            "doctor.desk",
            "doctor.keeper",
            "doctor.machine",
            "doctor.network",
            "doctor.ours",
            "doctor.scene",
            "doctor.servers",
            "doctor.tokens",
            "successor",
            "watcher",
            "world",
            "demo",
            "demo.fast_clock",
            "demo.mcp_server",
            "demo.stage",
            "demo.story",
        },
    ),
    (
        5,
        "commands: one module each",
        {
            "commands",
            "commands.completion",
            "commands.config",
            "commands.demo",
            "commands.doctor",
            "commands.ensure",
            "commands.events",
            "commands.explain",
            "commands.exec",
            "commands.history",
            "commands.login",
            "commands.logout",
            "commands.mcp",
            "commands.mcp_discover",
            "commands.mcp_servers",
            "commands.mcp_snippet",
            "commands.mcp_wrap",
            "commands.notify",
            "commands.pause",
            "commands.refresh",
            "commands.run",
            "commands.service",
            "commands.skill",
            "commands.setup",
            "commands.status",
            "commands.upgrade_profile",
        },
    ),
    (6, "the command line", {"cli", "__main__", "__init__"}),
]
RANK = {module: rank for rank, _, modules in RANKS for module in modules}
CENTER = "demo.center"  # the simulated Identity Center: a world of its own, held by tests/test_simulator_cut.py
ONE_EDGE = [  # several files, one edge
    {"exchange", "files"},  # what is done to files
    {"wrapper.ensuring", "wrapper.leash", "wrapper.server"},  # the wrapper's processes
    {"service", "service.by_hand", "service.kind", "service.launchd", "service.systemd"},  # service managers
    {"schedule", "settings", "setting_readers", "yaml_layers"},  # the config file
    {"authorization", "aws_clients", "identity_center"},  # Identity Center
    {
        "notify",
        "notify.apprise",
        "notify.channel",
        "notify.command",
        "notify.desktop",
        "notify.dialog",
        "notify.toast",
    },  # the channels
]

LIBRARIES = [
    # library, who may import it, why nobody else
    ("apprise", {"notify.apprise"}, "an extra, and only in the notifier child"),
    ("watchdog", {"watch"}, "file events are turned into one call to tick in one place"),
    (
        "apscheduler",
        {"schedule", "wakeup"},
        "jobs carry no meaning: there is one date job; cron lines are only computed",
    ),
    (
        "yaml",
        {"mcp.parsers", "settings", "yaml_layers"},
        "our config is read in one place, and the config files of MCP clients in another",
    ),
    ("pyjson5", {"mcp.parsers"}, "only where MCP servers are looked for: a child, or a command that a person typed"),
    (
        "msgspec",
        {"memories", "registrations", "setting_readers", "settings"},
        "typed config, memory files and cached registrations; nothing else is decoded by it",
    ),
    (
        "boto3",
        {"aws_clients", "demo.mcp_server"},
        "calls happen in short-lived children: 20 MB that the service must not carry",
    ),
    ("botocore", {"authorization", "aws_clients", "demo.mcp_server", "identity_center"}, "the same"),
    ("desktop_notifier", {"notify.desktop"}, "only ever in the notifier child"),
    (
        "asyncio",
        {
            "asking_first",
            "asks",
            "children",
            "clock_set",
            "commands.notify",
            "commands.run",
            "doctor.desk",
            "doctor.scene",
            "hook_events",
            "hooks",
            "listener",
            "mcp.rediscovery",
            "network",
            "notifier",
            "notify.apprise",
            "notify.command",
            "notify.desktop",
            "notify.dialog",
            "notify.toast",
            "presence",
            "server",
            "setup.notices",
            "wakeup",
            "watch",
            "watcher",
        },
        "commands and pure code need no loop; what waits for many things at once does",
    ),
    ("rich", {"commands.demo", "commands.history", "demo.story"}, "100 ms and 10 MB that only a long look is worth"),
    (
        "subprocess",
        {
            "asking",
            "browser",
            "demo.stage",
            "flows",
            "login_command",
            "service.kind",
            "setup.signed_in",
            "wrapper.ensuring",
            "wrapper.server",
        },
        "who starts programs without a loop: flows, what a flow needs, and the wrapper",
    ),
    (
        "socket",
        {"client", "demo.center.edge", "listener", "network", "sdnotify", "server"},
        "who talks to whom is in a few places",
    ),
    ("fcntl", {"files", "only_one", "published"}, "locks are in one place; that of the watcher and its test beside it"),
    (
        "logging",
        {
            "asks",
            "commands.run",
            "hook_events",
            "mcp.rediscovery",
            "notify.apprise",
            "notify.desktop",
            "publishing",
            "successor",
            "wakeup",
            "watch",
            "watcher",
        },
        "the service logs; functions return values",
    ),
    ("configupdater", {"aws_document"}, "the AWS config is changed in one place, and only by a command"),
    ("configparser", {"awsfile"}, "the AWS config is read in one place"),
]

# The service's memory and the start of `status` are architecture too.
FORBIDDEN_AT_START = [
    (
        "the service",
        "import sys; sys.modules['ssl'] = None; import ssowatch.commands.run, ssowatch.watcher",
        {"_ssl", "yaml", "boto3", "botocore", "configupdater", "desktop_notifier", "pyjson5", "rich"},
    ),
    (
        "status",
        "import ssowatch.commands.status",
        {
            "argparse",
            "json",
            "asyncio",
            "socket",
            "typing",
            "dataclasses",
            "datetime",
            "re",
            "yaml",
            "msgspec",
            "configupdater",
            "ssowatch.cli",
        },
    ),
    (
        "run, for as long as it lives",
        "from ssowatch import spared; spared.go_without(); import asyncio, ssowatch.watcher",
        {
            "argparse",
            "difflib",
            "_ssl",
            "_bz2",
            "_lzma",
            "boto3",
            "dbus_fast",
            "rich",
            "yaml",
            "ssowatch.cli",
            "ssowatch.mcp.command_line",
        },
    ),
    (
        "mcp wrap",
        "import ssowatch.commands.mcp_wrap, ssowatch.wrapper.relay, ssowatch.wrapper.profile",
        {"asyncio", "boto3", "botocore", "msgspec", "yaml", "rich", "ssowatch.cli"},
    ),
]


@functools.cache
def modules() -> dict[str, Path]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


@functools.cache  # the house is read once, not once per row
def imports(path: Path) -> set[str]:
    """Every module that the file names in an import, at any depth, whether at the top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def own(path: Path) -> set[str]:
    names = {name.removeprefix("ssowatch.") for name in imports(path) if name.startswith("ssowatch.")}
    return {name for name in names if name in modules()}


HOUSE = sorted(name for name in modules() if not name.startswith(CENTER))


@pytest.mark.parametrize("name", HOUSE)
def test_every_module_has_a_rank(name):
    assert name in RANK, f"{name} stands on no floor: give it a row in RANKS"


def test_every_pure_module_has_tests_that_speak_of_it():
    """What `scripts/coverage` and `scripts/mutation` run."""
    assert set(pure_modules.TESTS) == {name for name in HOUSE if RANK[name] <= 1}
    assert [file for file in pure_modules.test_files(pure_modules.TESTS) if not (PACKAGE.parent / file).exists()] == []


@pytest.mark.parametrize("name", HOUSE)
def test_a_module_imports_from_below(name):
    for imported in own(modules()[name]):
        if imported.startswith(CENTER):
            assert name.startswith("demo."), f"{name} imports the simulated Identity Center"
            continue
        same_edge = any({name, imported} <= edge for edge in ONE_EDGE)
        floor_may = RANK[name] in {1, 4}  # pure functions call each other, and so does composition
        if name in {"commands", "__main__"} or same_edge:
            continue
        # `status` without the short way is an ordinary command of the command line.
        if (name, imported) == ("commands.status", "cli"):
            continue
        assert RANK[imported] < RANK[name] or (floor_may and RANK[imported] == RANK[name]), f"{name} imports {imported}"


@pytest.mark.parametrize(("library", "allowed", "why"), LIBRARIES, ids=[row[0] for row in LIBRARIES])
def test_who_imports_a_library(library, allowed, why):
    users = {name for name, path in modules().items() if any(one.split(".")[0] == library for one in imports(path))}
    assert users <= allowed, why
    assert users == allowed, "the row allows more than is used"


@pytest.mark.parametrize(
    ("what", "statement", "forbidden"), FORBIDDEN_AT_START, ids=[row[0] for row in FORBIDDEN_AT_START]
)
def test_what_a_start_loads(what, statement, forbidden):
    program = f"import sys; bare = set(sys.modules); {statement}; print(*set(sys.modules) - bare)"
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not forbidden & set(loaded), what


def test_modules_stay_small():
    long = {name: count for name, path in modules().items() if (count := len(path.read_text().splitlines())) > 300}
    assert not long, "a module past 300 lines is a question"


def test_no_two_test_files_have_one_name():
    """pytest imports them by that name, and refuses the second."""
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert len(names) == len(set(names))


def test_the_world_is_looked_at_in_the_tick_alone():
    callers = {name for name, path in modules().items() if "world.look(" in path.read_text()}
    assert callers == {"watcher", "survey"}, "the watcher's tick, and `status` where there is none"
