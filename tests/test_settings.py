import argparse
import os
import pathlib
import re
import tempfile
from datetime import timedelta

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ssowatch import settings, yaml_layers
from ssowatch.commands import config
from ssowatch.model import Mode, Policy, Renew
from ssowatch.settings import Settings, SettingsError

EXAMPLE = pathlib.Path(__file__).parent.parent / "config.example.yaml"
CANARY = "s3cr3t-canary"


@pytest.fixture(params=["libyaml", "pure Python"])
def loader(request, monkeypatch):
    kind = "CSafeLoader" if request.param == "libyaml" else "SafeLoader"
    if not hasattr(yaml, kind):
        pytest.skip("PyYAML without libyaml")
    monkeypatch.setattr(yaml_layers, "_loader", lambda: getattr(yaml, kind))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSOWATCH_CONFIG", raising=False)
    monkeypatch.setattr(config.settings.load, "__defaults__", (str(tmp_path / "system.yaml"),))
    return tmp_path


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    return str(path)


def load(tmp_path, text, system=None):
    user = written(tmp_path / "user.yaml", text)
    return settings.load(
        user, written(tmp_path / "system.yaml", system) if system is not None else str(tmp_path / "none")
    )


# --- what is right ---


def test_no_file_is_the_defaults(tmp_path):
    loaded = settings.load(str(tmp_path / "none"), str(tmp_path / "none either"))
    assert loaded == settings.Loaded(settings=Settings())


@pytest.mark.parametrize(
    "text", ["", "\n", "# only a comment\n", "---\n", "~", "null", "{}", "\ufeff", "mode:\nquiet:\n"]
)
def test_nothing_said_is_the_defaults(tmp_path, loader, text):
    assert load(tmp_path, text).settings == Settings()


def test_the_example_says_the_defaults(loader, tmp_path):
    assert load(tmp_path, EXAMPLE.read_bytes()).settings == Settings()


def test_the_example_names_every_key():
    text = EXAMPLE.read_text()
    for kind in (
        Settings,
        settings.SignInSettings,
        settings.Login,
        settings.Schedule,
        settings.Quiet,
        settings.Hooks,
        settings.Mcp,
    ):
        for name in kind.__struct_fields__:
            assert re.search(rf"^#? *{name}:", text, re.MULTILINE), name


def test_the_example_still_holds_with_every_comment_taken_away(tmp_path):
    # Examples are indented by two blanks or more after the `#`, sentences by one.
    text = re.sub(r"^#(  +(?:[a-z-]|[A-Z_]+:).*)$", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)
    found = load(tmp_path, text).settings
    assert set(found.sign_ins) == {"corp", "lab"}
    assert found.quiet.hours == "22:00-07:00"
    assert len(found.notify) == 3
    assert found.environment["HTTPS_PROXY"].startswith("http://proxy")


FULL = """
mode: auto
refresh_before: 1h30m
warn_before: 0s
renew: in_use
watch: [corp, "https://d-9.awsapps.com/start"]
sign_ins:
  corp: {mode: silent, length: 8h, login: {method: command, command: [sh, -c, "a b"], browser: [firefox]}}
  no: {}
portals:
  https://d-1.awsapps.com/start: {length: 12h}
schedule: {fresh: 55 8 * * mon-fri, evening: "*/5 18,19 * * 1"}
quiet: {when_locked: no, when_idle: False, hours: 22:00-07:00}
notify: [desktop, {command: [tell]}, {apprise: ["slack://s3cr3t-canary"]}]
hooks: {on_renewed: [a], on_login_required: [b, ""], on_signed_in: [c]}
mcp: {discover: false, configs: [~/x.json, /y.json]}
environment: {AWS_CA_BUNDLE: /ca.pem, https_proxy: "http://u:s3cr3t-canary@p", XDG_RUNTIME_DIR: /run}
heartbeat: 100ms
"""


def test_every_key(tmp_path, loader):
    found = load(tmp_path, FULL).settings
    assert (found.mode, found.renew, found.warn_before) == (Mode.AUTO, Renew.IN_USE, timedelta())
    assert found.refresh_before == timedelta(minutes=90)
    assert found.watch == ("corp", "https://d-9.awsapps.com/start")
    assert found.sign_ins["corp"].login.command == ("sh", "-c", "a b")
    assert found.sign_ins["no"] == settings.SignInSettings()  # a name, not YAML's false
    assert found.schedule == settings.Schedule(fresh="55 8 * * mon-fri", evening="*/5 18,19 * * 1")
    assert found.quiet == settings.Quiet(when_locked=False, when_idle=False, hours="22:00-07:00")
    assert found.notify == (
        "desktop",
        settings.Command(command=("tell",)),
        settings.Apprise(apprise=("slack://s3cr3t-canary",)),
    )
    assert found.hooks.on_login_required == ("b", "")
    assert found.mcp == settings.Mcp(discover=False, configs=("~/x.json", "/y.json"))
    assert found.environment["https_proxy"] == "http://u:s3cr3t-canary@p"
    assert found.heartbeat == timedelta(milliseconds=100)


def test_show_reads_back_but_for_its_secrets(tmp_path):
    found = load(tmp_path, FULL).settings
    shown = settings.as_yaml(found)
    assert CANARY not in shown
    again = load(tmp_path, shown).settings
    assert again.environment == dict.fromkeys(found.environment, "***")
    assert settings.as_yaml(again) == shown
    assert load(tmp_path, settings.as_yaml(Settings())).settings == Settings()
    silent = load(tmp_path, "notify: []").settings
    assert load(tmp_path, settings.as_yaml(silent)).settings == silent


def test_settings_are_frozen_and_their_repr_holds_no_secret(tmp_path):
    found = load(tmp_path, FULL)
    assert CANARY not in repr(found)
    assert "AWS_CA_BUNDLE" in repr(found)
    with pytest.raises(AttributeError):
        found.settings.mode = Mode.AUTO


def test_policy(tmp_path):
    found = load(tmp_path, FULL).settings
    at = "https://d-1.awsapps.com/start"
    assert settings.policy(found, "corp", at).length == timedelta(hours=8)
    assert settings.policy(found, "corp", at).mode is Mode.SILENT
    for start_url in (at, f"{at}/", f"{at}#", f"{at}/#/"):
        assert settings.policy(found, "lab", start_url).length == timedelta(hours=12)
    lab = settings.policy(found, "lab", "https://d-2.awsapps.com/start")
    assert lab == Policy(
        mode=Mode.AUTO,
        refresh_before=timedelta(minutes=90),
        warn_before=timedelta(),
        renew=Renew.IN_USE,
        when_locked=False,
        when_idle=False,
    )
    assert settings.policy(Settings(), "lab", at) == Policy()


@pytest.mark.parametrize(
    ("quiet", "locked", "idle"),
    [("{when_locked: false}", False, True), ("{when_idle: false}", True, False), ("{}", True, True)],
)
def test_each_half_of_quiet_is_its_own_gate(tmp_path, quiet, locked, idle):
    found = load(tmp_path, f"quiet: {quiet}").settings
    known = settings.policy(found, "corp", "https://x.example/start")
    assert (known.when_locked, known.when_idle) == (locked, idle)


def test_watched(tmp_path):
    found = load(tmp_path, FULL).settings
    assert settings.watched(found, "corp", served=False)
    assert not settings.watched(found, "lab", served=True)
    assert settings.watched(Settings(), "lab", served=False)
    only_mcp = load(tmp_path, "watch: mcp").settings
    assert settings.watched(only_mcp, "lab", served=True)
    assert not settings.watched(only_mcp, "lab", served=False)


# --- what is wrong: id, text, line, path, words of the message ---

WRONG = [
    (
        "typo in a word",
        "sign_ins:\n  corp:\n    mode: atuo",
        3,
        "sign_ins.corp.mode",
        ['"atuo"', "notify, auto, silent", "notify, auto or silent", "mean auto?"],
    ),
    ("typo in a key", "\nrefresh_befor: 20m", 2, "refresh_befor", ["no key", "mean refresh_before?"]),
    ("dash in a key", "refresh-before: 20m", 1, "refresh-before", ["mean refresh_before?"]),
    (
        "typo in a deep key",
        "quiet:\n  when_lokced: true",
        2,
        "quiet.when_lokced",
        ["mean when_locked?", "when_idle", "hours"],
    ),
    ("unlike any key", "zebra: 1", 1, "zebra", ["keys here are mode, refresh_before"]),
    (
        "unlike any key of a portal",
        "portals: {https://x.example/s: {zebra: 1}}",
        1,
        "portals.https://x.example/s.zebra",
        ["keys here are length"],
    ),
    ("same key twice", "mode: auto\n\nmode: silent", 3, "mode", ["twice", "line 1"]),
    ("same name twice", "sign_ins:\n  a: {}\n  'a': {}", 3, "sign_ins.a", ["twice", "line 2"]),
    ("twice, once empty", "mode:\nmode: auto", 2, "mode", ["twice"]),
    ("a list", "- mode: auto", 1, "", ["a list", "mode: notify"]),
    ("one word", "auto", 1, "", ["is text"]),
    ("a number alone", "5", 1, "", ["a number"]),
    ("minutes without a unit", "refresh_before: 20", 1, "refresh_before", ["20 has no unit", "write 20m", "1m to 12h"]),
    ("seconds without a unit", "heartbeat: 30", 1, "heartbeat", ["write 30s"]),
    ("hours without a unit", "sign_ins: {a: {length: 8}}", 1, "sign_ins.a.length", ["write 8h"]),
    ("surely seconds", "refresh_before: 1800", 1, "refresh_before", ["write 1800s"]),
    ("zero without a unit", "warn_before: 0", 1, "warn_before", ["write 0m"]),
    ("a clock is a number in YAML 1.1", "refresh_before: 1:30", 1, "refresh_before", ["1:30 has no unit", "like 30m"]),
    ("half an hour", "refresh_before: 0.5h", 1, "refresh_before", ['"0.5h" is not a duration', "like 30m"]),
    ("too short", "refresh_before: 59s", 1, "refresh_before", ["1m to 12h"]),
    ("too long", "refresh_before: 13h", 1, "refresh_before", ["1m to 12h"]),
    ("warned too early", "warn_before: 25h", 1, "warn_before", ["0s to 24h"]),
    ("heart too fast", "heartbeat: 99ms", 1, "heartbeat", ["100ms to 10m"]),
    ("heart too slow", "heartbeat: 11m", 1, "heartbeat", ["100ms to 10m"]),
    (
        "no such sign-in",
        "portals: {https://x.example/start: {length: 4m}}",
        1,
        "portals.https://x.example/start.length",
        ["5m to 90d"],
    ),
    ("a list as duration", "refresh_before: [20m]", 1, "refresh_before", ["a list is not a duration"]),
    ("mode: off", "mode: off", 1, "mode", ["off without quotes", "false", "mean silent?"]),
    ("mode: on", "mode: on", 1, "mode", ["true", "notify, auto or silent"]),
    ("renew: no", "renew: no", 1, "renew", ["no without quotes", "mean never?"]),
    ("renew: yes", "renew: yes", 1, "renew", ["mean always?"]),
    ("quiet: off", "quiet: off", 1, "quiet", ["quiet: {when_locked: false, when_idle: false}"]),
    ("mcp: no", "mcp: no", 1, "mcp", ["mcp: {discover: false}"]),
    ("notify: off", "notify: off", 1, "notify", ["notify: []"]),
    ("a flag in quotes", 'quiet: {when_idle: "no"}', 1, "quiet.when_idle", ['"no"', "without quotes"]),
    ("a flag as number", "mcp: {discover: 1}", 1, "mcp.discover", ["1 is not true or false"]),
    ("one sign-in is no list", "watch: corp", 1, "watch", ["all, mcp or a list", "[corp]"]),
    ("watch nothing", "watch: []", 1, "watch", ["empty list"]),
    ("a number as name", "watch:\n  - corp\n  - 12", 3, "watch[1]", ["a number", "quotes"]),
    ("empty list entry", "watch: [corp, ~]", 1, "watch[1]", ["is empty, not text"]),
    ("sign-ins as list", "sign_ins:\n  - corp", 1, "sign_ins", ["a list", "names with keys"]),
    ("a sign-in as word", "sign_ins:\n  corp: auto", 2, "sign_ins.corp", ["is text", "mode, length, login"]),
    (
        "unknown method",
        "sign_ins:\n  corp:\n    login:\n      method: browser",
        4,
        "sign_ins.corp.login.method",
        ["pkce, device, command"],
    ),
    (
        "method without command",
        "sign_ins:\n  corp:\n    login: {method: command}",
        3,
        "sign_ins.corp.login",
        ["need each other"],
    ),
    (
        "command without method",
        "sign_ins:\n  corp:\n    login: {command: [a]}",
        3,
        "sign_ins.corp.login",
        ["need each other"],
    ),
    (
        "portal by host",
        "portals:\n  d-1.awsapps.com: {length: 8h}",
        2,
        "portals.d-1.awsapps.com",
        ["start URL", "https://"],
    ),
    (
        "portal with its fragment",
        'portals:\n  "https://d-1.awsapps.com/start#/": {}',
        2,
        "portals.https://d-1.awsapps.com/start#/",
        ["without # and /"],
    ),
    ("cron of six fields", 'schedule:\n  fresh: "0 55 8 * * mon-fri"', 2, "schedule.fresh", ["five fields"]),
    ("cron by name", 'schedule: {evening: "@daily"}', 1, "schedule.evening", ["five fields", "mon-fri"]),
    ("cron of no such day", 'schedule: {fresh: "0 8 31 2 *"}', 1, "schedule.fresh", ["that day never comes"]),
    ("cron of no such minute", 'schedule: {fresh: "99 8 * * *"}', 1, "schedule.fresh", ["99", "55 8 * * mon-fri"]),
    (
        "cron from the end of a week to its start",
        'schedule: {fresh: "0 8 * * sat-mon"}',
        1,
        "schedule.fresh",
        ["range"],
    ),
    ("unknown cron", "schedule: {morning: 0 8 * * *}", 1, "schedule.morning", ["fresh, evening"]),
    ("hours of no clock", "quiet: {hours: 22:00-24:30}", 1, "quiet.hours", ["22:00-07:00"]),
    (
        "unknown channel",
        "notify:\n  - desktop\n  - slack://s3cr3t-canary",
        3,
        "notify[1]",
        ["desktop", "command", "apprise"],
    ),
    ("two channels in one", "notify: [{command: [s3cr3t-canary], apprise: [b]}]", 1, "notify[0]", ["no channel"]),
    ("channels not a list", "notify: desktop", 1, "notify", ["[desktop]"]),
    (
        "a command line as text",
        "hooks:\n  on_renewed: curl -u s3cr3t-canary x",
        2,
        "hooks.on_renewed",
        ["is text, not a list", "[program, argument]"],
    ),
    ("an empty command line", "hooks: {on_renewed: []}", 1, "hooks.on_renewed", ["empty list"]),
    ("no program", 'notify: [{command: ["", s3cr3t-canary]}]', 1, "notify[0].command[0]", ["names no program"]),
    (
        "a number as argument",
        "hooks:\n  on_signed_in:\n    - sleep\n    - 5",
        4,
        "hooks.on_signed_in[1]",
        ["a number", "quotes"],
    ),
    ("apprise as text", "notify: [{apprise: slack://s3cr3t-canary}]", 1, "notify[0].apprise", ["[url]"]),
    ("relative MCP config", "mcp: {configs: [.mcp.json]}", 1, "mcp.configs[0]", ["full path"]),
    (
        "static keys",
        "environment:\n  AWS_SECRET_ACCESS_KEY: s3cr3t-canary",
        2,
        "environment.AWS_SECRET_ACCESS_KEY",
        ["static keys win"],
    ),
    (
        "access key id",
        "environment: {AWS_ACCESS_KEY_ID: s3cr3t-canary}",
        1,
        "environment.AWS_ACCESS_KEY_ID",
        ["refused"],
    ),
    (
        "session token",
        "environment: {AWS_SESSION_TOKEN: s3cr3t-canary}",
        1,
        "environment.AWS_SESSION_TOKEN",
        ["refused"],
    ),
    ("one profile for all", "environment: {AWS_PROFILE: dev}", 1, "environment.AWS_PROFILE", ["its own profile"]),
    (
        "code into children",
        "environment: {LD_PRELOAD: s3cr3t-canary}",
        1,
        "environment.LD_PRELOAD",
        ["*_PROXY", "PATH"],
    ),
    ("code into Python", "environment: {PYTHONPATH: s3cr3t-canary}", 1, "environment.PYTHONPATH", ["not a name"]),
    ("no name at all", "environment: {AWS-X: s3cr3t-canary}", 1, "environment.AWS-X", ["not a name"]),
    ("a number as value", "environment: {AWS_X: 31337}", 1, "environment.AWS_X", ["quotes"]),
    ("a boolean as value", "environment: {AWS_X: off}", 1, "environment.AWS_X", ["quotes"]),
    (
        "a shell's way",
        "environment:\n  - HTTPS_PROXY=http://u:s3cr3t-canary@p",
        1,
        "environment",
        ["a list", "AWS_CA_BUNDLE: "],
    ),
    ("a shell's way in one line", "environment: HTTPS_PROXY=http://u:s3cr3t-canary@p", 1, "environment", ["is text"]),
    (
        "a shell's way as a key",
        "environment: {'HTTPS_PROXY=s3cr3t-canary': x}",
        1,
        "environment.HTTPS_PROXY",
        ["not a name"],
    ),
    ("braces in a password", "environment: {HTTPS_PROXY: {s3cr3t-canary}}", 1, "environment.HTTPS_PROXY", ["quotes"]),
    (
        "braces twice",
        "environment: {HTTPS_PROXY: {s3cr3t-canary, s3cr3t-canary}}",
        1,
        "environment.HTTPS_PROXY",
        ["twice"],
    ),
    ("double braces", "environment: {HTTPS_PROXY: {{s3cr3t-canary}}}", 1, "environment.HTTPS_PROXY", ["not text"]),
    ("password like an alias", "environment:\n  HTTPS_PROXY: *s3cr3t-canary", 2, "", ["alias", "quotes"]),
    ("password like a tag", "environment:\n  HTTPS_PROXY: !s3cr3t-canary", 2, "", ["tag", "quotes"]),
    ("password like a handle", "environment:\n  HTTPS_PROXY: !s3cr3t-canary!x y", 2, "", ["not YAML"]),
    ("an open quote", "mode: auto\nenvironment: {HTTPS_PROXY: 's3cr3t-canary}", 2, "", ["not YAML"]),
    ("an open bracket", "watch: [corp\nmode: auto\n", 1, "", ["not YAML"]),
    ("two colons", "mode: auto\nwatch: a: b", 2, "", ["not YAML", "quotes"]),
    ("a key without colon", "mode: auto\nrenew\n", 2, "", ["not YAML", "colons"]),
    ("indented by half", "quiet:\n  when_idle: true\n when_locked: true", 3, "", ["indentation"]),
    ("a tab", "quiet:\n\twhen_idle: true", 2, "", ["spaces, not tabs"]),
    ("two documents", "mode: auto\n---\nmode: silent", 2, "", ["---"]),
    ("an anchor", "mode: &m auto", 1, "", ["anchor"]),
    ("a tag", "mode: auto\nwatch: !!python/object:os.system x", 2, "", ["tag"]),
    ("a merge key", "quiet: {<<: {when_idle: true}}", 1, "quiet.<<", ["no key"]),
    ("too deep", "a: " + "[" * 5000, 1, "", ["too deep"]),
    ("a key of two", "? [a, b]\n: c", 1, "", ["not text", "quotes"]),
    ("no key", "'': c", 1, "", ["not text"]),
    ("not UTF-8", b"mode: auto\nwatch: [caf\xe9]", 2, "", ["UTF-8"]),
    ("UTF-16", "mode: auto".encode("utf-16"), 1, "", ["UTF-8"]),
    ("text that runs backwards", 'mode: "\u202eauto\u200b"', 1, "mode", ['" auto " is not one of']),
    ("an escaped one, in a key", 'sign_ins: {"a\\u202eb": {mode: loud}}', 1, "sign_ins.a b.mode", ['"loud"']),
    ("a control character", "mode: auto\nwatch: [a\x1b[0m]", 2, "", ["control character"]),
    ("an escaped NUL", 'hooks:\n  on_renewed: ["a\\0b"]', 2, "", ["control character"]),
    ("locked by a user", "mode: auto\nlocked: [mode]", 2, "locked", ["alone", "take it out"]),
]


@pytest.mark.parametrize(("text", "line", "path", "words"), [pytest.param(*row[1:], id=row[0]) for row in WRONG])
def test_wrong(tmp_path, monkeypatch, loader, text, line, path, words):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    error = caught.value
    assert (error.line, error.path) == (line, path)
    assert error.file == str(tmp_path / "user.yaml")
    said = str(error)
    assert said.startswith(f"~/user.yaml line {line}: {f'{path}: ' if path else ''}")
    assert f". Mend: {error.fix}" in said
    assert said.isprintable()
    for expected in words:
        assert expected in said
    for secret in (CANARY, "31337"):
        assert secret not in said
    assert error.__cause__ is None
    assert len(said) < 700


def test_the_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SettingsError) as caught:
        settings.load(written(tmp_path / ".config/ssowatch/config.yaml", "sign_ins:\n  corp:\n    mode: atuo\n"))
    assert str(caught.value) == (
        '~/.config/ssowatch/config.yaml line 3: sign_ins.corp.mode: "atuo" is not one of notify, auto, silent. '
        "Mend: write notify, auto or silent (did you mean auto?)"
    )


def test_a_bomb_of_aliases_is_refused_at_once(tmp_path):
    rows = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    rows += [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    with pytest.raises(SettingsError, match="alias"):
        load(tmp_path, "\n".join(rows))


# --- files ---


def test_too_large(tmp_path):
    with pytest.raises(SettingsError, match="256 KiB"):
        load(tmp_path, "#" * (yaml_layers.MAX_SIZE + 1))
    assert load(tmp_path, "#" * yaml_layers.MAX_SIZE).settings == Settings()


def belonging(monkeypatch, file, *, owner=None, group=None):
    """Make the file look as if it belonged to somebody else."""
    row = list(pathlib.Path(file).stat())
    row[4] = row[4] if owner is None else owner
    row[5] = row[4] if group is None else group
    monkeypatch.setattr(yaml_layers.os, "stat", lambda _: os.stat_result(row))


@pytest.mark.parametrize(("mode", "group"), [(0o620, 12345), (0o602, None), (0o666, None), (0o664, 12345)])
@pytest.mark.parametrize("which", ["user", "system"])
def test_a_file_that_others_can_change(tmp_path, monkeypatch, mode, group, which):
    file = written(tmp_path / "config.yaml", "mode: auto")
    pathlib.Path(file).chmod(mode)
    belonging(monkeypatch, file, group=group)
    none = str(tmp_path / "none")
    with pytest.raises(SettingsError) as caught:
        settings.load(file, none) if which == "user" else settings.load(none, file)
    assert caught.value.fix == f"chmod go-w {file}"
    assert caught.value.line is None


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o444, 0o400, 0o664])
def test_a_file_that_others_can_at_most_read(tmp_path, monkeypatch, mode):
    file = written(tmp_path / "config.yaml", "mode: auto")
    pathlib.Path(file).chmod(mode)
    belonging(monkeypatch, file)  # its group is the user's own
    assert settings.load(file, str(tmp_path / "none")).settings.mode is Mode.AUTO


@pytest.mark.parametrize(("owner", "good"), [(os.getuid(), True), (0, True), (12345, False)])
def test_whose_file(tmp_path, monkeypatch, owner, good):
    file = written(tmp_path / "config.yaml", "mode: auto")
    belonging(monkeypatch, file, owner=owner)
    if good:
        assert yaml_layers.read(file) is not None
    else:
        with pytest.raises(SettingsError, match="another user"):
            yaml_layers.read(file)


@pytest.mark.parametrize(
    "make", [os.mkdir, os.mkfifo, lambda path: pathlib.Path(path).symlink_to(path)], ids=["directory", "fifo", "loop"]
)
def test_not_a_file(tmp_path, make):
    path = str(tmp_path / "config.yaml")
    make(path)
    with pytest.raises(SettingsError, match="plain file"):
        settings.load(path, str(tmp_path / "none"))


def test_a_symlink_to_a_file_is_fine(tmp_path):
    (tmp_path / "link.yaml").symlink_to(written(tmp_path / "dotfiles.yaml", "mode: auto"))
    assert settings.load(str(tmp_path / "link.yaml"), str(tmp_path / "none")).settings.mode is Mode.AUTO


# --- layers ---


def test_the_user_wins_key_by_key(tmp_path):
    system = "mode: silent\nrenew: never\nwatch: [a, b]\nsign_ins: {corp: {mode: auto, length: 8h}, lab: {length: 4h}}"
    loaded = load(tmp_path, "mode: notify\nwatch: [c]\nsign_ins: {corp: {mode: silent}, own: {}}\nrenew:", system)
    found = loaded.settings
    assert (found.mode, found.renew, found.watch) == (Mode.NOTIFY, Renew.NEVER, ("c",))
    assert found.sign_ins["corp"] == settings.SignInSettings(mode=Mode.SILENT, length=timedelta(hours=8))
    assert list(found.sign_ins) == ["corp", "lab", "own"]
    assert loaded.notes == ()
    assert [pathlib.Path(file).name for file in loaded.files] == ["system.yaml", "user.yaml"]


LOCKED = [
    ("a key", "mode: silent\nlocked: [mode]", "mode: auto", {"mode": Mode.SILENT}, ["user.yaml line 1: mode: "]),
    ("agreed", "mode: silent\nlocked: [mode]", "mode: silent", {"mode": Mode.SILENT}, []),
    ("unsaid", "mode: silent\nlocked: [mode]", "renew: never", {"mode": Mode.SILENT, "renew": Renew.NEVER}, []),
    ("no locks", "mode: silent\nlocked: []", "mode: auto", {"mode": Mode.AUTO}, []),
    ("empty", "mode: silent\nlocked:", "mode: auto", {"mode": Mode.AUTO}, []),
    ("a list", "watch: [a]\nlocked: [watch]", "watch: [a, b]", {"watch": ("a",)}, ["line 1: watch: "]),
    (
        "below a name",
        "sign_ins: {corp: {mode: silent}}\nlocked: [sign_ins.corp.mode]",
        "sign_ins:\n  corp: {length: 8h, mode: auto}",
        {"sign_ins": {"corp": settings.SignInSettings(mode=Mode.SILENT, length=timedelta(hours=8))}},
        ["line 2: sign_ins.corp.mode: "],
    ),
    (
        "a name with dots",
        "portals: {https://d-1.awsapps.com/start: {length: 4h}}\nlocked: [portals.https://d-1.awsapps.com/start.length]",
        "portals:\n  https://d-1.awsapps.com/start:\n    length: 8h",
        {"portals": {"https://d-1.awsapps.com/start": settings.Portal(length=timedelta(hours=4))}},
        ["line 3: portals.https://d-1.awsapps.com/start.length: "],
    ),
    (
        "a whole mapping",
        "environment: {HTTPS_PROXY: s3cr3t-canary}\nlocked: [environment]",
        "environment: {HTTPS_PROXY: s3cr3t-canary, AWS_CA_BUNDLE: s3cr3t-canary}",
        {"environment": {"HTTPS_PROXY": "s3cr3t-canary"}},
        ["line 1: environment: "],
    ),
    (
        "twice",
        "mode: silent\nlocked: [mode, quiet]\nquiet: {hours: 22:00-07:00}",
        "mode: auto\nquiet: {}",
        {"mode": Mode.SILENT},
        ["mode: "],
    ),
]


@pytest.mark.parametrize(("system", "user", "expected", "notes"), [pytest.param(*row[1:], id=row[0]) for row in LOCKED])
def test_locked(tmp_path, system, user, expected, notes):
    loaded = load(tmp_path, user, system)
    assert {name: getattr(loaded.settings, name) for name in expected} == expected
    assert len(loaded.notes) == len(notes)
    for note, words in zip(loaded.notes, notes, strict=True):
        assert words in note
        assert "locked by" in note
        assert "system.yaml line 2" in note
        assert CANARY not in note


@pytest.mark.parametrize(
    ("system", "line", "path", "words"),
    [
        ("mode: auto\nlocked: [mode, renew]", 2, "locked[1]", ['"renew" is not set in this file']),
        ("mode: auto\nlocked: mode", 2, "locked", ["[mode, sign_ins.corp.mode]"]),
        ("mode: auto\nlocked:\n  - 5", 3, "locked[0]", ["a number"]),
        ("mode: auto\nlocked: [locked]", 2, "locked[0]", ["not set"]),
        ("mode: auot", 1, "mode", ["mean auto?"]),
    ],
)
def test_an_error_of_the_system_file_names_that_file(tmp_path, system, line, path, words):
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, "mode: auto", system)
    assert pathlib.Path(caught.value.file).name == "system.yaml"
    assert (caught.value.line, caught.value.path) == (line, path)
    for word in words:
        assert word in str(caught.value)


def test_an_error_of_the_user_is_found_below_a_lock(tmp_path):
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, "mode: auot", "mode: silent\nlocked: [mode]")
    assert pathlib.Path(caught.value.file).name == "user.yaml"


def test_a_layer_may_choose_another_method_over_a_command_below(tmp_path):
    system = "sign_ins: {a: {login: {method: command, command: [x]}}}"
    assert (
        load(tmp_path, "sign_ins: {a: {login: {method: device}}}", system).settings.sign_ins["a"].login.method
        == "device"
    )


def test_the_system_file_named_as_the_users_is_read_once(tmp_path):
    file = written(tmp_path / "system.yaml", "mode: silent\nlocked: [mode]")
    loaded = settings.load(file, file)
    assert (loaded.settings.mode, loaded.files) == (Mode.SILENT, (file,))


# --- whatever stands there ---

KEYS = sorted(
    {
        name
        for kind in (Settings, settings.SignInSettings, settings.Login, settings.Quiet, settings.Hooks, settings.Mcp)
        for name in kind.__struct_fields__
    }
)
WORDS = st.sampled_from(
    [*KEYS, "auto", "off", "20m", "desktop", "all", "locked", "corp", "https://x.example/start", "", "a.b", "="]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | WORDS
    | st.text(max_size=8)
    | st.dates()
    | st.binary(max_size=4)
)
TREES = st.dictionaries(
    WORDS | st.integers(),
    st.recursive(
        SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(WORDS, below, max_size=3), max_leaves=12
    ),
    max_size=5,
)
LINES = st.lists(
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "  ", "\t", "- ", "    "]),
        WORDS,
        st.sampled_from([":", ": ", " ", "\n"]),
        WORDS | st.text(max_size=6),
    ),
    max_size=8,
).map("\n".join)
BROKEN = st.text(alphabet=st.sampled_from(list("a:-[]{}&*!|>'\"%@`#?, \n\t\\0x")) | st.characters(), max_size=60)


@hypothesis_settings(deadline=None, max_examples=300)
@given(
    user=st.one_of(
        BROKEN, LINES, TREES.map(lambda tree: yaml.safe_dump(tree, allow_unicode=True)), st.binary(max_size=60)
    ),
    system=st.one_of(st.just(""), LINES, TREES.map(yaml.safe_dump)),
    loader=st.sampled_from([getattr(yaml, "CSafeLoader", yaml.SafeLoader), yaml.SafeLoader]),
)
def test_any_bytes_are_settings_or_a_settings_error(user, system, loader):
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_layers, "_loader", lambda: loader)
        try:
            found = load(
                pathlib.Path(directory),
                user if isinstance(user, bytes) else user.encode("utf-8", "surrogatepass"),
                system,
            )
        except SettingsError as error:
            str(error).encode()  # it can be printed
        else:
            assert isinstance(found.settings, Settings)
            settings.policy(found.settings, "corp", "https://x.example/start")


@hypothesis_settings(deadline=None, max_examples=150)
@given(
    tree=TREES,
    where=st.lists(WORDS | st.sampled_from(["HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY", "LD_PRELOAD"]), max_size=2),
    shape=st.sampled_from(
        [
            "{}",
            "[{}]",
            "*{}",
            "!{} x",
            "!{}!x y",
            "'{}",
            "{{{}: {}}}",
            "{{{{{}}}}}",
            "@{}",
            "&{}",
            "a: {}",
            '"{}\\q"',
            "|{}",
        ]
    ),
    loader=st.sampled_from([getattr(yaml, "CSafeLoader", yaml.SafeLoader), yaml.SafeLoader]),
)
def test_a_value_of_environment_is_never_shown(tree, where, shape, loader):
    tree.pop("environment", None)
    name = where[0] if where else "HTTPS_PROXY"
    text = f"environment:\n  {name}: {shape.format(CANARY, CANARY)}\n" + (yaml.safe_dump(tree) if tree else "")
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_layers, "_loader", lambda: loader)
        try:
            said = repr(load(pathlib.Path(directory), text))
        except SettingsError as error:
            said = str(error) + repr(error)
    assert CANARY not in said


# --- the commands ---


def run(*words):
    parser = argparse.ArgumentParser()
    config.add_arguments(parser)
    return config.run(parser.parse_args(words))


def test_init_writes_the_example_once(home, capsys):
    file = home / ".config/ssowatch/config.yaml"
    assert run("init") == 0
    assert file.read_bytes() == EXAMPLE.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("mode: auto\n")
    assert run("init") == 1
    assert file.read_text() == "mode: auto\n"
    assert "stays as it is" in capsys.readouterr().err
    assert list(file.parent.iterdir()) == [file]


def test_init_leaves_a_broken_link_alone(home):
    file = home / ".config/ssowatch/config.yaml"
    file.parent.mkdir(parents=True)
    file.symlink_to(home / "nowhere")
    assert run("init") == 1
    assert not (home / "nowhere").exists()


def test_init_where_nothing_can_be_written(home, capsys):
    (home / ".config").write_text("")
    assert run("init") == 1
    assert "cannot be written" in capsys.readouterr().err


def test_init_does_not_change_a_directory_that_stands(home, monkeypatch):
    home.chmod(0o755)
    monkeypatch.setenv("SSOWATCH_CONFIG", str(home / "mine.yaml"))
    assert run("init") == 0
    assert home.stat().st_mode & 0o777 == 0o755


def test_check_without_a_file(home, capsys):
    assert run("check") == 0
    assert "defaults hold" in capsys.readouterr().out
    assert run("check", str(home / "named.yaml")) == 78
    assert "no such file" in capsys.readouterr().err


def test_check_of_what_init_wrote(home, capsys):
    assert run("init") == 0
    capsys.readouterr()
    assert run("check") == 0
    assert capsys.readouterr().out == "~/.config/ssowatch/config.yaml is right.\n"


def test_check_of_a_wrong_file(home, capsys):
    assert run("check", written(home / "x.yaml", "mode: atuo")) == 78
    said = capsys.readouterr()
    assert said.out == ""
    assert (
        said.err
        == '~/x.yaml line 1: mode: "atuo" is not one of notify, auto, silent. Mend: write notify, auto or silent (did you mean auto?)\n'
    )


def test_check_tells_of_locks(home, capsys):
    written(home / "system.yaml", "mode: silent\nlocked: [mode]")
    assert run("check", written(home / "x.yaml", "mode: auto")) == 0
    assert "~/x.yaml line 1: mode: has no effect: it is locked by ~/system.yaml line 2\n" in capsys.readouterr().out
    assert run("check", str(home / "system.yaml")) == 0


def test_show(home, capsys):
    written(home / ".config/ssowatch/config.yaml", FULL)
    assert run("show") == 0
    out = capsys.readouterr().out
    assert "refresh_before: 1h30m\n" in out
    assert CANARY not in out
    written(home / ".config/ssowatch/config.yaml", "mode: [")
    assert run("show") == 78
