"""The errors that Identity Center answers with: one row each, as the service models and real answers have them.

Rules of this file:
1. `code` is the exception's name in the service model; `status` is the model's, where it has one.
2. `word` is the OAuth word in the body of an OIDC error; the other services' errors have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ROWS: Mapping[str, tuple[int, str, str]] = MappingProxyType(
    {
        # sso-oidc
        "InvalidGrantException": (400, "invalid_grant", "Invalid refresh token provided"),
        "InvalidClientException": (401, "invalid_client", "Invalid client provided"),
        "InvalidRequestException": (400, "invalid_request", "Invalid request"),
        "InvalidRequestRegionException": (400, "invalid_request", "The Identity Center is in another region"),
        "UnsupportedGrantTypeException": (400, "unsupported_grant_type", "Unsupported grant type"),
        "UnauthorizedClientException": (400, "unauthorized_client", "The client may not use this grant"),
        "InvalidScopeException": (400, "invalid_scope", "Invalid scope"),
        "InvalidClientMetadataException": (400, "invalid_client_metadata", "Invalid client metadata"),
        "InvalidRedirectUriException": (400, "invalid_redirect_uri", "Invalid redirect URI"),
        "AuthorizationPendingException": (400, "authorization_pending", "Authorization pending"),
        "AccessDeniedException": (400, "access_denied", "Access denied"),
        "ExpiredTokenException": (400, "expired_token", "Device code has expired"),
        "SlowDownException": (400, "slow_down", "Slow down"),
        "InternalServerException": (500, "server_error", "Internal server error"),
        # the access portal (sso)
        "UnauthorizedException": (401, "", "Session token not found or invalid"),
        "ForbiddenException": (403, "", "No access"),
        "TooManyRequestsException": (429, "", "Too many requests"),
        # sts
        "MissingAuthenticationToken": (403, "", "Request is missing Authentication Token"),
        "InvalidClientTokenId": (403, "", "The security token included in the request is invalid."),
        "ExpiredToken": (403, "", "The security token included in the request is expired"),
        "AccessDenied": (403, "", "Not authorized to perform: sts:AssumeRole"),
        "InvalidAction": (400, "", "Could not find the operation"),
    }
)


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of the simulator
    """The service says no. `extra` are the error's further fields."""

    def __init__(self, code: str, description: str = "", **extra: str) -> None:
        self.code = code
        self.status, self.word, usual = ROWS[code]
        self.description = description or usual
        self.extra = extra
        super().__init__(f"{code}: {self.description}")
