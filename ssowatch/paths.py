"""Where every file lies (rank 1; standard library alone, and only its light parts: `status` starts with it).

Rules of this file:
1. Everything of ours depends on HOME alone. MCP clients strip XDG_* and more from the servers they start (design of
   the MCP SDKs' `get_default_environment`), and both ends must find the same socket, locks and files.
2. The token cache is always `~/.aws/sso/cache`: hard-coded in every AWS SDK (botocore `utils.SSOTokenLoader`, JS
   `getSSOTokenFilepath`, Go `StandardCachedTokenFilepath`).
3. `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` are honoured as the SDKs do.
"""

from __future__ import annotations

import os

SYSTEM_CONFIG = "/etc/xdg/ssowatch/config.yaml"
NO_HOME = "HOME names no directory"
_SUN_PATH_MAX = 100  # sockaddr_un.sun_path: 108 bytes on Linux, 104 on macOS, less the terminating zero


def home() -> str:
    """The user's home directory, from HOME, else from the user database."""
    return os.path.expanduser("~")  # noqa: PTH111 - pathlib costs 8 ms at the start of `status`


def has_home() -> bool:
    """Whether there is a directory by that name. A relative one would be another one in each working directory."""
    return os.environ.get("HOME") != "" and os.path.isabs(home()) and os.path.isdir(home())  # noqa: PTH112, PTH117


def shown(path: str) -> str:
    """A path as a person writes it."""
    return f"~{path.removeprefix(home())}" if path.startswith(f"{home()}/") else path


def aws_config() -> str:
    """The AWS config file."""
    return os.path.expanduser(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config")  # noqa: PTH111


def aws_credentials() -> str:
    """The AWS shared credentials file."""
    return os.path.expanduser(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials")  # noqa: PTH111


def token_cache() -> str:
    """The directory of the token files."""
    return f"{home()}/.aws/sso/cache"


def token_file(name: str) -> str:
    """The token file of the sign-in called `name` (an sso-session's name, or a legacy profile's start URL)."""
    return f"{token_cache()}/{key(name)}.json"


def key(name: str) -> str:
    """The SDKs' own cache key: the SHA-1 of the name in UTF-8, in lower-case hex (not used for security)."""
    from hashlib import sha1  # OpenSSL: 2 ms that `status` beside a running watcher does without

    return sha1(name.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def config_file() -> str:
    """Our config file; `SSOWATCH_CONFIG` (set by `--config`) names another one."""
    return os.path.expanduser(os.environ.get("SSOWATCH_CONFIG") or f"{home()}/.config/ssowatch/config.yaml")  # noqa: PTH111


def state_dir() -> str:
    """Our state, 0700."""
    return f"{home()}/.local/state/ssowatch"


def status_file() -> str:
    """The published state: what `status --json` prints."""
    return f"{state_dir()}/status.json"


def watcher_lock() -> str:
    """Held by the running watcher for its life; holds its pid."""
    return f"{state_dir()}/watcher.lock"


def write_lock(name: str) -> str:
    """Held while a token file is renewed or replaced, the HTTP call included."""
    return f"{state_dir()}/locks/{key(name)}.write"


def memory_lock(name: str) -> str:
    """Held for milliseconds, while a sign-in's memory is changed."""
    return f"{state_dir()}/locks/{key(name)}.memory"


def memory_file(name: str) -> str:
    """A sign-in's memory."""
    return f"{state_dir()}/memory/{key(name)}.json"


def flow_record(name: str) -> str:
    """What the sign-in under way for `name` waits for, and how the last one ended."""
    return f"{state_dir()}/flows/{key(name)}.json"


def flow_lock(name: str) -> str:
    """Held by the process that signs `name` in, for its life."""
    return f"{state_dir()}/locks/{key(name)}.flow"


def start_lock(name: str) -> str:
    """Held for milliseconds, while somebody joins the sign-in of `name` or starts it."""
    return f"{state_dir()}/locks/{key(name)}.start"


def turn_lock() -> str:
    """Held by the one sign-in of this machine whose browser tab is open."""
    return f"{state_dir()}/locks/turn"


def use_lock(name: str) -> str:
    """Held, shared, by every program that runs on the sign-in `name` (`exec`, the wrapper), for its life."""
    return f"{state_dir()}/locks/{key(name)}.use"


def socket_path() -> str:
    """The watcher's socket. A home too deep for AF_UNIX gets a directory of its own in /tmp, which must be checked."""
    path = f"{state_dir()}/socket"
    if len(os.fsencode(path)) <= _SUN_PATH_MAX:
        return path
    return f"/tmp/ssowatch-{os.getuid()}-{key(home())[:12]}/socket"  # noqa: S108 - 0700 and owner are checked before use


def pauses_file() -> str:
    """Who asked for quiet until when."""
    return f"{state_dir()}/pauses.json"


def pauses_lock() -> str:
    """Held for milliseconds, while the pauses are changed."""
    return f"{state_dir()}/locks/pauses"


def session_bus() -> dict[str, str]:
    """What our environment lacks for a program to find the user's session bus and service manager; mostly nothing.

    MCP clients and cron strip `XDG_RUNTIME_DIR`; logind puts it at /run/user/UID (pam_systemd(8)).
    """
    folder = f"/run/user/{os.getuid()}"
    if os.environ.get("XDG_RUNTIME_DIR") or not os.access(folder, os.X_OK):
        return {}
    return {"XDG_RUNTIME_DIR": folder}


def aws_config_lock() -> str:
    """Held while we change the AWS config; no AWS program takes it."""
    return f"{state_dir()}/locks/aws-config"


def registration_file(purpose: str) -> str:
    """A client registration of ours; `purpose` tells what it is good for."""
    return f"{state_dir()}/registrations/{key(purpose)}.json"


def mcp_servers_file() -> str:
    """The MCP servers that discovery found last."""
    return f"{state_dir()}/mcp_servers.json"


def discovery_lock() -> str:
    """Held while that file is made anew."""
    return f"{state_dir()}/locks/discovery"


def act_log() -> str:
    """What happened to the sign-ins, one JSON line each."""
    return f"{state_dir()}/acts.jsonl"


def old_act_log() -> str:
    """The same, before that file was full."""
    return f"{state_dir()}/acts.old.jsonl"
