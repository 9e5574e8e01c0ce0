"""The pages a person sees, as pure functions: plain HTML with forms, no script.

Rules of this file:
1. Whatever is shown was written by somebody else (a client's name, a user's, a start URL): `_shown` cuts it short, drops
   what is not printable (line breaks, text that runs backwards) and escapes it. No other way leads into a page.
2. A form posts to the address it came from; its buttons have names and values, so that a browser, a test tool and plain
   HTTP press the same.
3. The policy forbids everything but the one style sheet and the forms. Chromium holds redirects after a form against
   `form-action` too, so the loopback address that waits for the code is named there.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass, field

_LONGEST = 100
_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:32em;margin:3em auto;padding:0 1em}"
    "dt{color:#555}dd{margin:0 0 .7em;font-weight:bold;overflow-wrap:anywhere}"
    "button,input{font:inherit;padding:.4em 1em;margin:0 .5em .5em 0}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self' http://127.0.0.1:*; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser gets."""

    outcome: str
    """What it says, in one word, for the log."""
    status: int = 200
    body: str = ""
    location: str = ""
    """Where to go instead of showing something."""
    cookies: Mapping[str, str] = field(default_factory=dict)


def sign_in(client: str, portal: str, user: str) -> str:
    """Who are you?"""
    return _page(
        "Sign in",
        _facts({"Application": client, "Portal": portal})
        + "<p>This is a simulated IAM Identity Center: any name will do, and there is no password.</p>"
        + _form(
            f'<label>User name <input name="user" value="{_shown(user)}" autocomplete="off" autofocus required></label>'
            + _button("step", "sign_in", "Sign in")
        ),
    )


def consent(client: str, portal: str, user: str, user_code: str = "") -> str:
    """Allow or deny?"""
    code = {"Code": user_code} if user_code else {}
    return _page(
        "Allow access?",
        "<p>An application asks for access to your AWS accounts.</p>"
        + _facts({"Application": client, "Portal": portal, "Signed in as": user, **code})
        + _form(_button("decision", "allow", "Allow") + _button("decision", "deny", "Deny")),
    )


def ask_code(wrong: str = "") -> str:
    """Which code?"""
    complaint = f"<p>The code {_shown(wrong)} is not known, was used, or has run out.</p>" if wrong else ""
    return _page(
        "Enter the code",
        complaint
        + '<form method="get" action="/device"><label>Code <input name="user_code" autocomplete="off" autofocus required>'
        + '</label><button type="submit">Next</button></form>',
    )


def allowed() -> str:
    """It is done."""
    return _page("Request approved", "<p>You can close this window and go back to the application.</p>")


def denied() -> str:
    """It is done, too."""
    return _page("Request denied", "<p>The application got no access. You can close this window.</p>")


def problem(text: str) -> str:
    """It cannot be done."""
    return _page("This request cannot be answered", f"<p>{_shown(text)}</p>")


def _page(title: str, content: str) -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1>{content}</main></body></html>\n"
    )


def _facts(rows: Mapping[str, str]) -> str:
    return (
        "<dl>" + "".join(f"<dt>{name}</dt><dd><bdi>{_shown(text)}</bdi></dd>" for name, text in rows.items()) + "</dl>"
    )


def _form(inside: str) -> str:
    return f'<form method="post">{inside}</form>'


def _button(name: str, value: str, label: str) -> str:
    return f'<button type="submit" name="{name}" value="{value}">{label}</button>'


def _shown(text: str) -> str:
    printable = "".join(character for character in text if character.isprintable())
    return html.escape(printable if len(printable) <= _LONGEST else printable[:_LONGEST] + "…")
