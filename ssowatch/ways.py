"""How a person is asked to sign in: by which method, and whether a browser opens here (rank 1, pure).

Rules of this file:
1. The order is: what was typed, what the config says, then what is there: a browser (PKCE), else none (device code).
2. A device code is a phishing channel: whoever talks a person into approving a code gets the sign-in. So nothing that
   starts by itself uses one, unless the config says `method: device` (docs/security.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PKCE, DEVICE, COMMAND = "pkce", "device", "command"
_LOWEST_PORT, _PORTS = 26000, 1000


@dataclass(frozen=True, slots=True)
class Way:
    """What is decided."""

    method: str
    opens: bool
    """A browser is opened here; else link or code are shown to who asked."""
    chosen: bool
    """The method was typed or configured, not derived."""


def choose(typed: str | None, configured: str | None, *, here: bool, no_browser: bool) -> Way:
    """The way to sign in; `here`: a browser can be opened on this machine (`browser.available`)."""
    method = typed or configured or (PKCE if here else DEVICE)
    return Way(method, here and not no_browser, bool(typed or configured))


def remote(environ: Mapping[str, str]) -> bool:
    """Whether this is a session over SSH."""
    return bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))


def tunnel_port(uid: int) -> int:
    """The port of the listener where a tunnel must be told of it beforehand: one per user, below those that systems draw."""
    return _LOWEST_PORT + uid % _PORTS
