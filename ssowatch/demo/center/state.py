"""All that Identity Center knows, in one value that its parts share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ssowatch.demo.center.authorization_codes import AuthorizationCodes
from ssowatch.demo.center.device_codes import DeviceCodes
from ssowatch.demo.center.registrations import Registrations
from ssowatch.demo.center.role_keys import RoleKeys
from ssowatch.demo.center.sessions import Sessions
from ssowatch.demo.center.settings import Settings
from ssowatch.demo.center.tokens import Tokens

Parameters = Mapping[str, Any]
Result = dict[str, Any]


@dataclass(slots=True)
class State:
    """Its memory. `settings` may be replaced at any time; what was given before keeps its terms."""

    settings: Settings
    url: str
    """Where its pages are."""
    registrations: Registrations = field(default_factory=Registrations)
    sessions: Sessions = field(default_factory=Sessions)
    tokens: Tokens = field(default_factory=Tokens)
    device_codes: DeviceCodes = field(default_factory=DeviceCodes)
    authorization_codes: AuthorizationCodes = field(default_factory=AuthorizationCodes)
    role_keys: RoleKeys = field(default_factory=RoleKeys)
