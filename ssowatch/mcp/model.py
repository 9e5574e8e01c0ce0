"""What discovery knows: frozen values without behaviour (rank 1, pure). Nothing here ever holds a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ssowatch.model import Problem


@dataclass(frozen=True, slots=True)
class McpServer:
    """One server in one client's config file, and the profile that it is given."""

    client: str
    """The client's id, like `claude-code`."""
    server: str
    """What the file calls it."""
    file: str
    profile: str | None = None
    """None where no file tells it."""
    sign_in: str | None = None
    """The sign-in that it hangs on, by the AWS config as it is now."""
    certain: bool = False
    """The profile's name is written literally in `file`."""
    problem: Problem | None = None
    """Why a renewed token does not help it, or why nobody can tell."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A client's config file that cannot be used. `client` may be empty."""

    client: str
    file: str
    message: str


@dataclass(frozen=True, slots=True)
class Found:
    """What one discovery found."""

    servers: tuple[McpServer, ...] = ()
    broken: tuple[Broken, ...] = ()
    seen: Mapping[str, tuple[int, ...] | None] = field(default_factory=dict)
    """Every path that bears on the result, with its stat (`files.signature`)."""
    asked: tuple[str, ...] = ()
    """What our config asked for."""
