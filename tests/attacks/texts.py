"""Text that wants to be more than text: names in files that move a cursor, turn a line around, or forge a log line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from attacks.scene import Scene
from attacks.table import Attack, must

_EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egpj.exe\u200b\u2028"
_NAME = "n\x1b[31m\u202ered\x9b"
_COMMANDS = (
    ("status",), ("status", "--json"), ("doctor",), ("doctor", "--json"), ("config", "check"), ("config", "show"),
    ("history",), ("history", "--json"), ("mcp", "servers"), ("mcp", "servers", "--json"), ("refresh", "dev"),
    ("explain", "Token has expired and refresh failed"), ("upgrade-profile", "old"), ("upgrade-profile", "good", "--yes"), ("upgrade-profile", "--undo"), ("setup", "--help"),
    ("completion", "bash"), ("service", "status"), ("mcp", "snippet", "cursor", "x"),
)  # fmt: skip


def _everything(scene: Scene, commands: Sequence[tuple[str, ...]] = _COMMANDS) -> str:
    for words in commands:
        scene.run(*words)
    scene.say(b'{"version": 1, "do": "look"}\n')
    scene.say(b'{"version": 1, "do": "status"}\n')
    return f"{len(commands)} commands, log, socket and state show it as text"


def aws_names(commands: Sequence[tuple[str, ...]], scene: Scene) -> str:
    config = scene.home / ".aws/config"
    lines = f"""
[sso-session {_NAME}]
sso_start_url = https://d-1.awsapps.com/start{_EVIL}
sso_region = us-east-1{_EVIL}

[profile {_NAME}]
sso_session = {_NAME}
sso_account_id = {_EVIL}
sso_role_name = {_EVIL}

[sso-session good{_NAME}]
sso_start_url = https://d-3.awsapps.com/start
sso_region = us-east-1

[profile good]
sso_session = good{_NAME}
sso_account_id = 1
sso_role_name = r

[profile old]
sso_start_url = https://d-2.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 1
sso_role_name = {_EVIL}

[profile p{_EVIL}]
credential_process = /bin/sh -c "evil {_EVIL}"

[profile r]
role_arn = x
source_profile = nobody{_EVIL}

[profile s]
sso_session = none{_EVIL}

[{_EVIL}]
sso_session = x
"""
    with scene.kept(config):
        config.write_text(config.read_text() + lines)
        scene.until(lambda: b"\\u001b" in scene.say(b'{"version": 1, "do": "status"}\n'), "the service sees it")
        said = _everything(scene, commands)
        found = json.loads(scene.run("status", "--json").must(0).out)
        names = [one["name"] for one in found["sign_ins"]]
        must(any("\x1b" in name for name in names), f"JSON holds the very name, escaped: {names}")
    return said


def forged_lines(scene: Scene) -> str:
    """A name with a line end cannot stand in an AWS config; in values, MCP files and token files it can."""
    claude, config = scene.home / ".claude.json", scene.home / ".aws/config"
    servers = {
        f"s{number}\ncorp: valid{_EVIL}": {
            "command": "uvx",
            "args": ["awslabs.x", "--profile", f"dev{_EVIL}\ncorp: FORGED"],
            "env": {"AWS_PROFILE": "dev", "AWS_SECRET_ACCESS_KEY": "CANARYKEY", "X": "$(evil)`evil`"},
        }
        for number in range(3)
    }
    with scene.kept(claude, config):
        claude.write_text(json.dumps({"mcpServers": servers, "projects": {f"/p\n{_EVIL}": {"mcpServers": servers}}}))
        config.write_text(
            config.read_text() + f"\n[profile v]\nsso_start_url = https://x/\n corp: valid{_EVIL}\nsso_region = r\n"
        )
        scene.run("mcp", "servers").must(0)
        said = _everything(scene)
    scene.logged("corp: valid")
    forged = [line for line in scene.log.read_text().splitlines() if line.startswith("corp: FORGED")]
    must(not forged, f"no forged line: {forged}")
    return said


def own_config(scene: Scene) -> str:
    config = scene.home / ".config/ssowatch/config.yaml"
    texts = (
        f'mode: "{_EVIL}"\n',
        f'"{_NAME}": 1\n',
        'mode: "\\u202eauto\\u200b"\n',
        'sign_ins:\n  "a\\u202eb": {mode: loud}\n',
        'watch: ["\\u2028x"]\nlocked: [mode]\n',
        "environment: {HTTPS_PROXY: CANARYPASSWORD, LD_PRELOAD: CANARYPASSWORD}\n",
        'notify: [{apprise: ["json://CANARYPASSWORD@x"]}, {mail: CANARYPASSWORD}]\n',
        "hooks: {on_renewed: [evil, CANARYPASSWORD, 5]}\n",
    )
    for text in texts:
        with scene.kept(config):
            config.write_text(text)
            for words in (("config", "check"), ("status",), ("status", "--json"), ("doctor",), ("run",)):
                scene.run(*words)
            scene.say(b'{"version": 1, "do": "look"}\n')
            scene.say(b'{"version": 1, "do": "status"}\n')
    return f"{len(texts)} configs: refused with place and mend, shown as text, no value of a secret's place"


def tokens(scene: Scene) -> str:
    """A token file that another program wrote."""
    for more in (
        {"expiresAt": _EVIL},
        {"region": _EVIL, "startUrl": _EVIL},
        {"clientId": _EVIL, "registrationExpiresAt": _EVIL},
        {_EVIL: _EVIL, "accessToken": f"CANARYACCESS{_EVIL}"},
        {"clientSecret": "CANARYSECRET\r\nX-Injected: 1", "refreshToken": "CANARYREFRESH\r\nHost: evil"},
    ):
        scene.write_token(scene.token(**more))
        for words in (
            ("status",),
            ("status", "--json"),
            ("refresh", "corp"),
            ("refresh", "corp", "--json"),
            ("doctor",),
        ):
            scene.run(*words)
    return "five token files: shown as text, sent as data"


ATTACKS = (
    Attack("texts", "names in the AWS config, in status", partial(aws_names, _COMMANDS[:2]), essential=True),
    Attack("texts", "names in the AWS config", partial(aws_names, _COMMANDS)),
    Attack("texts", "names in MCP files, forged lines", forged_lines),
    Attack("texts", "our config", own_config),
    Attack("texts", "token files", tokens),
)
