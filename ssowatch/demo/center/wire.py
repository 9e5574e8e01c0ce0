"""HTTP as the three services and the browser's pages speak it, in both directions, as pure functions.

Rules of this file:
1. sso-oidc errors carry their name in `x-amzn-ErrorType` and OAuth's two words in the body; the portal's carry it in
   `__type`; STS answers in XML. All three as seen on the wire of the real services. To a browser an error is a page.
2. A request that none of them would know is None, which the edge answers with 404.
3. Nothing in a request can make this file raise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ssowatch.demo.center.pages import HEADERS, Page, problem
from ssowatch.demo.center.refusal import Refusal

_ROUTES = {
    ("POST", "/client/register"): "RegisterClient",
    ("POST", "/device_authorization"): "StartDeviceAuthorization",
    ("POST", "/token"): "CreateToken",
    ("GET", "/federation/credentials"): "GetRoleCredentials",
    ("GET", "/assignment/accounts"): "ListAccounts",
    ("GET", "/assignment/roles"): "ListAccountRoles",
    ("POST", "/logout"): "Logout",
}
_PAGES = {
    ("GET", "/authorize"): "AuthorizePage",
    ("POST", "/authorize"): "AuthorizeForm",
    ("GET", "/device"): "DevicePage",
    ("POST", "/device"): "DeviceForm",
}
PAGES = frozenset(_PAGES.values())
"""The operations whose answer is a page."""
_OIDC = {"RegisterClient", "StartDeviceAuthorization", "CreateToken"}
_STS = {"GetCallerIdentity", "AssumeRole"}
_PORTAL_QUERY = {
    "role_name": "roleName",
    "account_id": "accountId",
    "next_token": "nextToken",
    "max_result": "maxResults",
}
_OIDC_TYPE = "http://internal.amazon.com/coral/com.amazonaws.sso.oidc/"
_PORTAL_TYPE = "com.amazonaws.switchboard.portal#"
_XMLNS = "https://sts.amazonaws.com/doc/2011-06-15/"
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    operation: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; Date and Content-Length are the edge's."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    """The others."""


def read_request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request | None:
    """What this HTTP request asks for; the names of `headers` in lower case."""
    try:
        url = urlsplit(target)
    except ValueError:
        return None
    path, query = url.path, url.query
    operation = _ROUTES.get((method, path))
    if operation in _OIDC:
        return Request(operation, _json_object(body))
    if operation is not None:
        parameters = {_PORTAL_QUERY.get(name, name): value for name, value in parse_qsl(query)}
        return Request(operation, {**parameters, "accessToken": headers.get("x-amz-sso_bearer_token", "")})
    if page := _PAGES.get((method, path)):
        cookies = {"cookies": _cookies(headers.get("cookie", "")), "form": _form(body)}
        return Request(page, {**dict(parse_qsl(query)), **cookies})
    if (method, path) == ("POST", "/"):
        form = _form(body)
        credential = _CREDENTIAL.search(headers.get("authorization", ""))
        form["accessKeyId"] = credential.group(1) if credential else ""
        form["sessionToken"] = headers.get("x-amz-security-token", "")
        return Request(form.get("Action", ""), form) if form.get("Action") in _STS else None
    return None


def page(shown: Page) -> Answer:
    """The answer to a browser."""
    cookies = [
        ("Set-Cookie", f"{name}={value}; Path=/; HttpOnly; SameSite=Lax") for name, value in shown.cookies.items()
    ]
    location = [("Location", shown.location)] if shown.location else []
    headers = (*HEADERS.items(), *location, *cookies)
    return Answer(shown.status, shown.body.encode(), "text/html; charset=utf-8", headers)


def good(operation: str, result: Mapping[str, Any]) -> Answer:
    """The answer when it went well."""
    if operation in _STS:
        inner = f"<{operation}Result>{_xml(result)}</{operation}Result>{_REQUEST_ID}"
        text = f'<{operation}Response xmlns="{_XMLNS}">{inner}</{operation}Response>'
        return Answer(200, text.encode(), "text/xml")
    return Answer(200, b"" if operation == "Logout" else _dump(result))


def bad(operation: str, refusal: Refusal) -> Answer:
    """The answer when the service says no."""
    if operation in PAGES:
        return page(Page("refused", refusal.status, problem(refusal.description)))
    if operation in _STS:
        error = _xml({"Type": "Sender", "Code": refusal.code, "Message": refusal.description})
        text = f'<ErrorResponse xmlns="{_XMLNS}"><Error>{error}</Error><RequestId>{_ID}</RequestId></ErrorResponse>'
        return Answer(refusal.status, text.encode(), "text/xml")
    if operation in _OIDC:
        words = {"error": refusal.word, "error_description": refusal.description, **refusal.extra}
        body = words if refusal.word else {"message": refusal.description}
        return Answer(refusal.status, _dump(body), headers=(("x-amzn-ErrorType", f"{refusal.code}:{_OIDC_TYPE}"),))
    return Answer(refusal.status, _dump({"message": refusal.description, "__type": _PORTAL_TYPE + refusal.code}))


_ID = "01234567-89ab-cdef-0123-456789abcdef"
_REQUEST_ID = f"<ResponseMetadata><RequestId>{_ID}</RequestId></ResponseMetadata>"


def _dump(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(errors="replace")))


def _cookies(header: str) -> dict[str, str]:
    pairs = (one.partition("=") for one in header.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _xml(value: Mapping[str, Any]) -> str:
    return "".join(
        f"<{name}>{_xml(inner) if isinstance(inner, Mapping) else escape(str(inner), quote=False)}</{name}>"
        for name, inner in value.items()
    )
