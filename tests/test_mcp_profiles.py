"""Which profile a server is given: every way in which people write it, and what keeps a sign-in from it."""

from __future__ import annotations

import os.path

import homes
import pytest

from ssowatch import awsconfig
from ssowatch.mcp import command_line, expansion, hanging, profiles, shapes
from ssowatch.mcp.model import McpServer
from ssowatch.model import AwsConfig, Problem

HOME = "/home/me"
CONFIG = f"{HOME}/.aws/config"
AWS: AwsConfig = awsconfig.parse(
    homes.CONFIG
    + """
[sso-session lab]
sso_start_url = https://d-2.awsapps.com/start
sso_region = us-east-1
[profile only]
sso_session = lab
sso_account_id = 111111111111
sso_role_name = x
[profile granted]
credential_process = granted x
""",
    None,
)
NAMES = frozenset({"dev", "prod", "only", "granted", "lab"})
MOUNT = f"{HOME}/.aws:/root/.aws"
ENV_FILES = {
    "/src/x/.env": "# mine\nexport AWS_PROFILE='dev' \nAPI_KEY=canary\n",
    "/other.env": "AWS_PROFILE=prod # x\n",
    "/keys.env": "AWS_ACCESS_KEY_ID=canary\nAWS_SECRET_ACCESS_KEY=canary\n",
}


def resolved(
    server: dict[str, object], client: str = "claude-code", elsewhere: str = "", name: str = "aws", **known: str
) -> tuple[McpServer, ...]:
    """The rows of one entry, with their sign-ins."""
    rows = [
        row
        for entry in shapes.MCP_SERVERS({"mcpServers": {name: server}})
        for row in profiles.resolve(
            entry,
            client,
            "/src/x/.mcp.json",
            known={"HOME": HOME, "userHome": HOME, "workspaceFolder": "/src/x", **known},
            profiles=NAMES,
            home=HOME,
            aws_config=CONFIG,
            env_file=lambda path: command_line.variables(ENV_FILES.get(os.path.normpath(path), "")),
            elsewhere=elsewhere,
        )
    ]
    return hanging.hang(tuple(rows), AWS)


def env(**variables: str) -> dict[str, object]:
    return {"command": "uvx", "args": ["awslabs.iam-mcp-server@latest"], "env": variables}


def line(*words: str, **variables: str) -> dict[str, object]:
    return {"command": words[0], "args": list(words[1:]), "env": variables}


CERTAIN = [
    # id, entry, profile; all of them written in the file
    ("env", env(AWS_PROFILE="dev"), "dev"),
    ("env, the older name", env(AWS_DEFAULT_PROFILE="dev"), "dev"),
    ("env, both names", env(AWS_DEFAULT_PROFILE="prod", AWS_PROFILE="dev"), "dev"),
    ("env of the aws-api server", env(AWS_API_MCP_PROFILE_NAME="dev", AWS_PROFILE="prod"), "dev"),
    ("an option", line("uvx", "awslabs.x", "--profile", "dev", AWS_PROFILE="prod"), "dev"),
    ("an option in one word", line("uvx", "awslabs.x", "--profile=dev"), "dev"),
    ("another option", line("uvx", "awslabs.x", "--aws-profile", "dev"), "dev"),
    ("another option in one word", line("uvx", "awslabs.x", "--aws-profile=dev"), "dev"),
    ("an option that shows no other sign of AWS", line("my-server", "--profile", "dev"), "dev"),
    ("the proxy", line("uvx", "mcp-proxy-for-aws@latest", "https://x.api.aws/mcp", "--profile", "dev"), "dev"),
    ("the proxy's variable wins", line("mcp-proxy-for-aws", "--profile", "prod", AWS_MCP_PROXY_PROFILES="dev"), "dev"),
    ("env(1)", line("env", "AWS_PROFILE=dev", "uvx", "awslabs.x"), "dev"),
    ("env(1) with options", line("/usr/bin/env", "-i", "-u", "X", "AWS_PROFILE=dev", "x", AWS_PROFILE="prod"), "dev"),
    ("env -S", line("env", "-S", "AWS_PROFILE=dev uvx awslabs.x"), "dev"),
    ("env -S, and words behind it", line("env", "-S", "uvx awslabs.x", "--profile", "dev"), "dev"),
    ("env(1), then another launcher", line("env", "LANG=C", "sh", "-c", "AWS_PROFILE=dev awslabs.x"), "dev"),
    ("env -i", line("env", "-i", "AWS_DEFAULT_PROFILE=dev", "awslabs.x", AWS_PROFILE="prod"), "dev"),
    ("env in another folder", line("env", "-C", "/src", "sh", "-c", "AWS_PROFILE=dev awslabs.x"), "dev"),
    ("env that takes one away", line("env", "-u", "AWS_PROFILE", "x", AWS_PROFILE="prod", AWS_DEFAULT_PROFILE="dev"), "dev"),
    ("env that empties one", line("env", "AWS_PROFILE=", "x", AWS_PROFILE="prod", AWS_DEFAULT_PROFILE="dev"), "dev"),
    ("env, cut short", line("env", "-u", AWS_PROFILE="dev"), "dev"),
    ("env alone", line("env", AWS_PROFILE="dev"), "dev"),
    ("a shell", line("sh", "-c", "AWS_PROFILE=dev uvx awslabs.x"), "dev"),
    ("a login shell", line("/bin/bash", "-lc", "cd /x && AWS_PROFILE='dev' exec uvx awslabs.x"), "dev"),
    ("a shell that exports", line("zsh", "-c", "export AWS_PROFILE=dev; source x; uvx awslabs.x"), "dev"),
    ("a shell, an option", line("sh", "-c", "uvx awslabs.x --profile dev 2>/dev/null"), "dev"),
    ("a shell in a shell", line("sh", "-c", "exec sh -c 'AWS_PROFILE=dev awslabs'"), "dev"),
    ("a shell with an end that says nothing", line("sh", "-c", "awslabs.x --profile dev;"), "dev"),
    ("a shell that runs a file", line("bash", "/src/awslabs.sh", AWS_PROFILE="dev"), "dev"),
    ("a shell, cut short", line("sh", "-c", AWS_PROFILE="dev"), "dev"),
    ("cmd", line("cmd", "/c", "set AWS_PROFILE=dev&& uvx awslabs.x"), "dev"),
    ("cmd, in words", line("cmd.exe", "/C", "set", "AWS_PROFILE=dev&&", "npx", "awslabs.x"), "dev"),
    ("cmd, in one word", line("cmd", "/c set AWS_PROFILE=dev&& uvx awslabs.x"), "dev"),
    ("cmd, then another launcher", line("cmd", "/d", "/s", "/c", "docker", "run", "-e", "AWS_PROFILE=dev", "-v", MOUNT, "i"), "dev"),
    ("variables that say nothing of AWS are inherited", {**env(AWS_PROFILE="dev"), "env_vars": ["LANG"]}, "dev"),
    ("a number as a variable, and a thing that is none", {**line("uvx", "awslabs.x"), "env": {"AWS_PROFILE": "dev", "PORT": 80, "X": None}}, "dev"),
    ("a quote that does not end", {"command": "uvx awslabs.x --profile dev 'x"}, "dev"),
    ("what is neither text nor a number", {**line("uvx", "awslabs.x"), "env": {"AWS_API_MCP_PROFILE_NAME": None, "AWS_PROFILE": True, "AWS_DEFAULT_PROFILE": "dev"}}, "dev"),
    ("arguments that are no text", {"command": "awslabs.x", "args": [7, None, "", "--profile", "dev"]}, "dev"),
    ("an empty option", line("sh", "-c", "awslabs.x --profile ''", AWS_PROFILE="dev"), "dev"),
    ("an empty option in one word", line("awslabs.x", "--profile=", AWS_PROFILE="dev"), "dev"),
    ("the proxy's variable means nothing to another", line("awslabs.x", AWS_MCP_PROXY_PROFILES="prod", AWS_PROFILE="dev"), "dev"),
    ("keys that the proxy's variable beats", line("mcp-proxy-for-aws", AWS_MCP_PROXY_PROFILES="dev", AWS_ACCESS_KEY_ID="canary"), "dev"),
    ("an env file that nobody can find", {**env(AWS_PROFILE="dev"), "envFile": "${WHERE}"}, "dev"),
    ("another command of ours", line("ssowatch", "status", "--profile", "dev", "awslabs"), "dev"),
    ("nice", line("nohup", "nice", "env", "AWS_PROFILE=dev", "awslabs.x"), "dev"),
    ("docker", line("docker", "run", "-i", "--rm", "-e", "AWS_PROFILE=dev", "-v", MOUNT, "img"), "dev"),
    ("docker, long", line("docker", "run", "--env", "AWS_PROFILE=dev", "--volume", "/srv/me and you/.aws:/a", "img"), "dev"),
    ("docker, =", line("docker", "run", "--env=AWS_PROFILE=dev", f"--volume={MOUNT}", "img"), "dev"),
    ("docker, one word", line("docker", "run", "-e AWS_PROFILE=dev", "-v /srv/me and you/.aws:/a", "img"), "dev"),
    ("docker, a mount that only the client knows", line("docker", "run", "-e", "AWS_PROFILE=dev", "-v", "${SOME}/.aws:/a", "img"), "dev"),
    ("docker, the config as it is called inside", line("docker", "run", "-e", "AWS_PROFILE=dev", "-e", "AWS_CONFIG_FILE=/a/config", "-v", MOUNT, "i"), "dev"),
    ("docker, a launcher inside", line("docker", "run", "-e", "AWS_PROFILE=prod", "-v", MOUNT, "i", "env", "AWS_PROFILE=dev", "x"), "dev"),
    ("docker, no space", line("docker", "run", "-eAWS_PROFILE=dev", f"-v{MOUNT}", "img"), "dev"),
    ("docker passes env on", line("docker", "run", "-e", "AWS_PROFILE", "-v", MOUNT, "img", AWS_PROFILE="dev"), "dev"),
    ("podman, --mount", line("podman", "run", "-e", "AWS_PROFILE=dev", "--mount", f"type=bind,src={HOME}/.aws,dst=/a", "i"), "dev"),
    ("docker, the whole home", line("docker", "run", "-e", "AWS_PROFILE=dev", "-v", f"{HOME}:/root", "img"), "dev"),
    ("docker compose", line("docker", "compose", "run", "awslabs", AWS_PROFILE="dev"), "dev"),
    ("a launcher that nobody knows", line("npx", "cross-env", "AWS_PROFILE=dev", "my-server"), "dev"),
    ("our wrapper", line("ssowatch", "mcp", "wrap", "--profile", "dev", "--", "my-server"), "dev"),
    ("our wrapper, =", line("/home/me/.local/bin/ssowatch", "mcp", "wrap", "--profile=dev", "--", "my-server"), "dev"),
    ("our wrapper, by env", line("ssowatch", "mcp", "wrap", "--", "my-server", AWS_PROFILE="dev"), "dev"),
    ("our wrapper, env(1)", line("ssowatch", "mcp", "wrap", "--wait", "auto", "--", "env", "AWS_PROFILE=dev", "x"), "dev"),
    ("our wrapper, an option", line("ssowatch", "mcp", "wrap", "--", "x", "--profile", "dev"), "dev"),
    ("our wrapper, by uvx", line("uvx", "ssowatch", "mcp", "wrap", "--profile", "dev", "--", "x"), "dev"),
    ("our wrapper, then another launcher", line("ssowatch", "mcp", "wrap", "--wait", "auto", "--", "sh", "-c", "AWS_PROFILE=dev x"), "dev"),
    ("our wrapper, before another store", line("ssowatch", "mcp", "wrap", "--profile", "dev", "--", "aws-vault", "exec", "prod", "--", "x"), "dev"),
    ("our wrapper, given two", line("ssowatch", "mcp", "wrap", "--profile", "prod", "--profile", "dev", "--", "x"), "dev"),
    ("our wrapper, with what it does not know", line("ssowatch", "mcp", "wrap", "--nonsense", "x", "--profile", "dev"), "dev"),
    ("our wrapper, with a config", line("python", "-m", "ssowatch", "--config", "c", "mcp", "wrap", "--profile", "dev", "x"), "dev"),
    ("our exec, with a config", line("ssowatch", "--config", "c", "exec", "dev", "x"), "dev"),
    ("our exec", line("ssowatch", "exec", "dev", "--", "my-server", AWS_ACCESS_KEY_ID="canary", AWS_PROFILE="prod"), "dev"),
    ("our exec, cut short", line("ssowatch", "exec", AWS_PROFILE="dev"), "dev"),
    ("the whole command in one word", {"command": "uvx awslabs.x --profile dev"}, "dev"),
    ("the command as a list", {"command": ["uvx", "awslabs.x", "--profile", "dev"]}, "dev"),
    ("a program with a blank in its path", line("/opt/my tools/bash", "-c", "AWS_PROFILE=dev awslabs.x"), "dev"),
    ("keys that the option beats", line("awslabs.x", "--profile", "dev", AWS_ACCESS_KEY_ID="canary"), "dev"),
    ("the same home", env(AWS_PROFILE="dev", HOME=HOME, AWS_CONFIG_FILE="~/.aws/config"), "dev"),
]  # fmt: skip


@pytest.mark.parametrize(("server", "profile"), [row[1:] for row in CERTAIN], ids=[row[0] for row in CERTAIN])
def test_a_profile_that_is_written_there(server, profile):
    (row,) = resolved(server)
    assert (row.profile, row.certain, row.problem) == (profile, True, None)
    assert row.sign_in == "corp"


UNCERTAIN = [
    # id, client, entry, profile; not written in the file itself
    ("a default", "claude-code", env(AWS_PROFILE="${WHICH:-dev}"), "dev"),
    ("Claude Code's settings", "claude-code", env(), "dev"),
    ("the user's home in a path", "cursor", {"command": "awslabs", "envFile": "${workspaceFolder}/.env"}, "dev"),
    ("an env file beside it", "vscode", line("awslabs.x", "--env-file", "/other.env"), "prod"),
    (
        "an env file of docker",
        "vscode",
        line("docker", "run", "--env-file=/src/x/.env", "-v", MOUNT, "awslabs"),
        "dev",
    ),
    ("env wins over an env file", "vscode", {**env(AWS_PROFILE="${env:NONE}"), "envFile": "/other.env"}, None),
    ("an input", "vscode", env(AWS_PROFILE="${input:profile}"), None),
    ("an unset variable", "claude-code", env(AWS_PROFILE="${AWS_PROFILE}"), None),
    ("an unset variable of Gemini", "gemini-cli", line("awslabs", "--profile", "$P"), None),
    ("an unset variable of opencode", "opencode", env(AWS_PROFILE="{env:P}"), None),
    ("a file of opencode", "opencode", env(AWS_PROFILE="{file:~/p}"), None),
    ("a secret of Continue", "continue", env(AWS_PROFILE="${{ secrets.P }}"), None),
    ("a shell's variable", "zed", line("sh", "-c", "AWS_PROFILE=$P awslabs.x"), None),
    ("docker passes on what nobody knows", "zed", line("docker", "run", "-e", "AWS_PROFILE", "-v", MOUNT, "x"), None),
    ("Codex passes on what nobody knows", "codex", {**line("awslabs"), "env_vars": ["AWS_PROFILE"]}, None),
    ("Goose's key ring", "goose", {**line("awslabs"), "env_keys": ["AWS_PROFILE"]}, None),
]


@pytest.mark.parametrize(
    ("client", "server", "profile"), [row[1:] for row in UNCERTAIN], ids=[row[0] for row in UNCERTAIN]
)
def test_a_profile_that_is_not_written_there(client, server, profile):
    known = {"AWS_PROFILE": "dev"} if server == env() else {}
    (row,) = resolved(server, client, **known)
    assert (row.profile, row.certain) == (profile, False)
    assert row.sign_in == ("corp" if profile else None)
    assert (row.problem.code if row.problem else None) == (None if profile else "unknown_profile")


LITERAL = [
    # Some clients put nothing in, so what looks like a variable is the name.
    ("claude-desktop", "${env:P}"),
    ("claude-code", "$P"),
    ("cline", "$P"),
    ("codex", "$P"),
    ("zed", "${P}"),
]


@pytest.mark.parametrize(("client", "written"), LITERAL)
def test_what_a_client_does_not_put_in_is_the_name(client, written):
    (row,) = resolved(env(AWS_PROFILE=written), client)
    assert (row.profile, row.certain, row.sign_in) == (written, True, None)
    assert row.problem.code == "unknown_profile"
    assert written in row.problem.message


PUT_IN = [
    # client, written, what it hands on where P is "dev" and Q is not set; None where only the client knows
    ("claude-code", "${P}", "dev"),
    ("claude-code", "${P:-x}", "dev"),
    ("claude-code", "${Q:-x}", "x"),
    ("claude-code", "${Q}", None),
    ("kiro", "a-${P}-b", "a-dev-b"),
    ("gemini-cli", "$P", "dev"),
    ("gemini-cli", "${P}", "dev"),
    ("gemini-cli", "${Q:-x}", "x"),
    ("cursor", "${env:P}", "dev"),
    ("windsurf", "${env:Q}", None),
    ("vscode", "${input:P}", None),
    ("opencode", "{env:P}", "dev"),
    ("opencode", "{file:P}", None),
    ("continue", "${{ secrets.P }}", None),
    ("zed", "$P ${P} ${env:P} {env:P}", "$P ${P} ${env:P} {env:P}"),
]


@pytest.mark.parametrize(("client", "written", "given"), PUT_IN)
def test_what_a_client_puts_in(client, written, given):
    assert expansion.plain_text(expansion.expand(written, client, {"P": "dev"})) == given


SETTINGS = [
    # what Claude Code's own settings set for it, and so for every server; the problem
    ({"AWS_ACCESS_KEY_ID": "canary"}, "static_keys"),
    ({"AWS_ACCESS_KEY_ID": "canary", "AWS_SESSION_TOKEN": "canary"}, "frozen_keys"),
    ({"HOME": "/srv/home"}, "other_home"),
    ({"AWS_CONFIG_FILE": "/etc/aws"}, "other_config"),
    ({"API_KEY": "canary"}, None),
]


@pytest.mark.parametrize(("known", "code"), SETTINGS)
def test_what_claude_codes_settings_set_counts(known, code):
    (row,) = resolved(env(AWS_PROFILE="dev"), **known)
    assert (row.problem.code if row.problem else None) == code


STORES = [
    # id, entry, the profile that is shown
    ("aws-vault", line("aws-vault", "exec", "dev", "--", "x"), "dev"),
    ("options before the name", line("aws-vault", "exec", "--no-session", "dev", "--", "x"), "dev"),
    ("an option of the server", line("aws-vault", "exec", "prod", "--", "x", "--profile", "dev"), "dev"),
    ("a launcher behind it", line("aws-vault", "exec", "prod", "--", "sh", "-c", "AWS_PROFILE=dev x"), "dev"),
    ("another command", line("aws-vault", "login", "prod", AWS_PROFILE="dev"), "dev"),
    ("into a container", line("aws-vault", "exec", "dev", "--", "docker", "run", "-e", "AWS_ACCESS_KEY_ID", "x"), None),
]


@pytest.mark.parametrize(("server", "profile"), [row[1:] for row in STORES], ids=[row[0] for row in STORES])
def test_what_another_store_hands_out_is_shown_as_its_own(server, profile):
    (row,) = resolved(server)
    assert (row.profile, row.problem.code) == (profile, "other_store")


PROBLEMS = [
    # id, entry, code, sign-in that it hangs on all the same, words
    ("static keys", env(AWS_ACCESS_KEY_ID="canary", AWS_PROFILE="dev"), "static_keys", None, "wins over every profile"),
    ("frozen keys", env(AWS_ACCESS_KEY_ID="canary", AWS_SESSION_TOKEN="canary", AWS_PROFILE="dev"), "frozen_keys", "corp", "restart"),
    ("exported keys", line("sh", "-c", 'eval "$(aws configure export-credentials --profile dev --format env)" && x'), "frozen_keys", "corp", "restart"),
    ("keys into a container", line("docker", "run", "-e", "AWS_ACCESS_KEY_ID", "awslabs", AWS_ACCESS_KEY_ID="canary"), "static_keys", None, "wins"),
    ("keys in a file that its container is given", line("docker", "run", "--env-file", "/keys.env", "awslabs"), "static_keys", None, "wins"),
    ("exported keys, beside another profile", line("sh", "-c", 'eval "$(aws configure export-credentials --profile dev)" && aws sts get-caller-identity --profile only && x'), "frozen_keys", "corp", "restart"),
    ("exported keys into a container", line("sh", "-c", "$(aws configure export-credentials --profile dev); docker run -e AWS_PROFILE=dev x"), "frozen_keys", "corp", "restart"),
    ("keys of a key ring", {**line("awslabs"), "env_keys": ["AWS_ACCESS_KEY_ID"]}, "static_keys", None, "wins"),
    ("another home", env(HOME="/srv/home", AWS_PROFILE="dev"), "other_home", None, "/srv/home"),
    ("another config", env(AWS_CONFIG_FILE="/etc/aws", AWS_PROFILE="dev"), "other_config", None, "/etc/aws"),
    ("a home that only the client knows", env(HOME="${SOME}", AWS_PROFILE="dev"), "other_home", None, "another home"),
    ("a config that only the client knows", env(AWS_CONFIG_FILE="${SOME}", AWS_PROFILE="dev"), "other_config", None, "another file"),
    ("aws-vault", line("aws-vault", "exec", "dev", "--", "awslabs.x"), "other_store", None, "aws-vault keeps"),
    ("aws-vault within a shell", line("sh", "-c", "exec aws-vault exec --no-session dev -- x"), "other_store", None, "aws-vault"),
    ("aws-sso-cli", line("aws-sso", "exec", "-p", "dev", "--", "x"), "other_store", None, "aws-sso-cli"),
    ("a container that cannot write", line("docker", "run", "-e", "AWS_PROFILE=dev", "-v", f"{MOUNT}:ro", "x"), "read_only", "corp", "read-only"),
    ("the same by --mount", line("docker", "run", "-e", "AWS_PROFILE=dev", "--mount", f"src={HOME}/.aws,dst=/a,readonly", "x"), "read_only", "corp", "read-only"),
    ("a container that does not see it", line("docker", "run", "-e", "AWS_PROFILE=dev", "awslabs"), "not_mounted", None, "mount it"),
    ("keys that an option beats, in a container that does not see it", line("docker", "run", "-e", "AWS_ACCESS_KEY_ID=canary", "x", "--profile", "dev"), "not_mounted", None, "mount it"),
    ("aws-vault without exec", line("aws-vault", "list", AWS_PROFILE="dev"), "other_store", None, "aws-vault"),
    ("frozen keys of a profile that is not there", env(AWS_ACCESS_KEY_ID="canary", AWS_SESSION_TOKEN="canary", AWS_PROFILE="nope"), "frozen_keys", None, "restart"),
    ("no such profile", env(AWS_PROFILE="deb"), "unknown_profile", None, 'did you mean "dev"'),
    ("a placeholder", env(AWS_PROFILE="your-aws-profile"), "unknown_profile", None, "your-aws-profile"),
    ("credential_process", env(AWS_PROFILE="granted"), "not_watched", None, "credential_process: granted"),
    ("no profile, and no default", env(AWS_REGION="us-east-1"), "no_profile", None, "none called default"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("server", "code", "sign_in", "words"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS]
)
def test_what_keeps_a_sign_in_from_a_server(server, code, sign_in, words):
    (row,) = resolved(server)
    assert row.problem is not None
    assert (row.problem.code, row.sign_in) == (code, sign_in)
    assert words in f"{row.problem.message}; {row.problem.fix}"
    assert "canary" not in repr(row)


def test_the_proxy_may_be_given_several():
    rows = resolved(line("uvx", "mcp-proxy-for-aws", "https://x", "--profile", "dev", "only", "nope", "--service", "x"))
    assert [(row.profile, row.sign_in) for row in rows] == [("dev", "corp"), ("only", "lab"), ("nope", None)]
    rows = resolved(line("mcp-proxy-for-aws", AWS_MCP_PROXY_PROFILES="dev  prod"))
    assert [row.profile for row in rows] == ["dev", "prod"]


LISTED = [
    # what the variable holds, the names with whether its file has them
    ("prod dev", [("prod", True), ("dev", True)]),
    ("prod ${MORE:-only} dev", [("prod", True), ("only", False), ("dev", False)]),
    ("prod ${MORE:-only dev}", [("prod", True), ("only", False), ("dev", False)]),
    ("${MORE} dev", [(None, False), ("dev", False)]),
]


@pytest.mark.parametrize(("listed", "names"), LISTED)
def test_which_of_several_names_stand_in_the_file(listed, names):
    rows = resolved(line("mcp-proxy-for-aws", AWS_MCP_PROXY_PROFILES=listed))
    assert [(row.profile, row.certain) for row in rows] == names


def test_none_of_the_names_that_settings_give_stands_in_the_file():
    rows = resolved(line("mcp-proxy-for-aws"), AWS_MCP_PROXY_PROFILES="dev prod")
    assert [(row.profile, row.certain) for row in rows] == [("dev", False), ("prod", False)]


def test_a_sign_in_with_one_profile_goes_by_its_own_name_too():
    (row,) = resolved(line("ssowatch", "exec", "lab", "--", "x"))
    assert (row.sign_in, row.problem) == ("lab", None)


def test_without_a_name_the_default_is_guessed():
    (row,) = resolved(env())
    assert (row.profile, row.certain) == (None, False)
    aws = awsconfig.parse(homes.CONFIG.replace("profile dev", "default"), None)
    (row,) = hanging.hang((McpServer("claude-code", "aws", "/f"),), aws)
    assert (row.profile, row.certain, row.sign_in, row.problem) == ("default", False, "corp", None)


def test_a_server_that_runs_elsewhere_hangs_on_nothing_here():
    (row,) = resolved(env(AWS_PROFILE="dev"), elsewhere="the dev container")
    assert (row.profile, row.sign_in) == ("dev", None)
    assert row.problem == Problem("elsewhere", "it runs in the dev container, which has a home of its own")


def test_a_name_that_is_no_name_any_more_is_cut():
    (row,) = resolved(env(AWS_PROFILE="x" * 101))
    assert row.profile == "x" * 100


SIGNS = [
    ("a variable", line("my-server", AWS_REGION="x")),
    ("a variable of the client", {**line("my-server"), "env_vars": ["AWS_REGION"]}),
    ("a variable in a key ring", {**line("my-server"), "env_keys": ["AWS_REGION"]}),
    ("a word", line("uvx", "awslabs.x")),
    ("a profile of the AWS config", line("my-server", "--profile", "dev")),
    ("our wrapper", line("ssowatch", "mcp", "wrap", "--", "my-server")),
]


@pytest.mark.parametrize("server", [row[1] for row in SIGNS], ids=[row[0] for row in SIGNS])
def test_one_sign_of_aws_is_enough(server):
    assert resolved(server, name="kb")


NONE = [
    # No sign of AWS, or nothing that is started here
    ("another server", line("npx", "-y", "@modelcontextprotocol/server-filesystem", "/home/me")),
    ("a profile of something else", line("npx", "playwright-mcp", "--profile", "work")),
    ("words that only sound like it", line("npx", "lawsuit-server", "draws", "rawsql")),
    ("a URL", {"type": "http", "url": "https://aws-mcp.us-east-1.api.aws/mcp"}),
    ("switched off", {**env(AWS_PROFILE="dev"), "disabled": True}),
    ("not on", {**env(AWS_PROFILE="dev"), "enabled": False}),
    ("no command", {"env": {"AWS_PROFILE": "dev"}}),
    ("an empty command", {"command": "", "env": {"AWS_PROFILE": "dev"}}),
    ("nonsense", {"command": 7, "args": "x", "env": []}),
]


@pytest.mark.parametrize("server", [row[1] for row in NONE], ids=[row[0] for row in NONE])
def test_what_is_left_out(server):
    entries = shapes.MCP_SERVERS({"mcpServers": {"files": server}})
    rows = [
        row
        for entry in entries
        for row in profiles.resolve(
            entry, "zed", "/f", known={}, profiles=NAMES, home=HOME, aws_config=CONFIG, env_file=lambda _: {}
        )
    ]
    assert rows == []


def test_which_servers_stop_with_their_sign_in():
    keys = {"AWS_ACCESS_KEY_ID": "canary", "AWS_SESSION_TOKEN": "canary"}
    frozen = resolved(env(**keys, AWS_PROFILE="dev"), name="frozen")
    read_only = resolved(line("docker", "run", "-e", "AWS_PROFILE=dev", "-v", f"{MOUNT}:ro", "x"))
    assert hanging.stopping((*resolved(env(AWS_PROFILE="dev")) * 2, *frozen)) == [("aws", "Claude Code")]
    servers = (*resolved(env(AWS_PROFILE="dev")), *read_only, *frozen)
    assert [hanging.restarts(one) for one in servers] == [False, False, True]


def test_no_secret_of_an_entry_is_kept_or_shown():
    entry = shapes.Entry("aws", ("x", "--token=canary"), {"API_KEY": "canary", "AWS_PROFILE": "dev"}, "/canary.env")
    found = command_line.launch(entry, "zed", {}, lambda _: {"AWS_SECRET_ACCESS_KEY": "canary"})
    assert found.env == {"API_KEY": "", "AWS_PROFILE": "dev", "AWS_SECRET_ACCESS_KEY": ""}
    assert "canary" not in f"{entry!r} {found!r}"


def test_what_an_env_file_holds():
    lines = ["# A=a", "A", "my key=a", "export B='b b' ", 'C = "c"', "D=d # d", "E=", "F=''", "G='", "H='h", "I=ici"]
    assert command_line.variables("\n".join(lines)) == {
        "B": "b b",
        "C": "c",
        "D": "d",
        "E": "",
        "F": "",
        "G": "'",
        "H": "'h",
        "I": "ici",
    }
    assert command_line.variables("\n" * 999 + "A=a\nB=b") == {"A": "a"}, "a thousand lines are read"


LONG = [
    "env " * 2000,
    "nice " * 2000,
    "sh -c " * 1000,
    "${a:-" * 1500,
    "${" * 4000,
    "$" * 8000,
    "{env:" * 1500,
    "; " * 4000,
    " " * 8000,
    "set " * 2000,
    "-e " * 2500,
    "'" * 8000,
    "\\" * 8000,
]


@pytest.mark.parametrize("text", LONG, ids=[text[:6] for text in LONG])
@pytest.mark.parametrize("client", ["claude-code", "gemini-cli", "cursor", "opencode", "continue", "zed"])  # each form
def test_what_is_made_to_keep_us_busy_ends(text, client):
    for words in (
        ["env", "-S", text],
        ["sh", "-c", text],
        ["cmd", "/c", text],
        ["docker", "run", *[text] * 190],
        [text],
    ):
        resolved(line(*words, AWS_PROFILE=text), client)
