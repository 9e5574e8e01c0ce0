"""What the browser shows at the end of a sign-in, as pure functions: plain HTML, no script, nothing from elsewhere.

Rules of this file:
1. Whatever is shown was written by somebody else (names from files, from the portal): `_shown` puts it on one line, drops
   what does not print or runs backwards, cuts it and escapes it. No other way leads into a page.
2. The policy forbids everything but the one style sheet. Nothing is stored, and no address is handed on.
3. A page says what happened, to which sign-in, and what to do now; never a code, a state or a token.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from ssowatch.answers import Person
from ssowatch.model import Kind, SignIn
from ssowatch.plain import plain
from ssowatch.problems import login_command

_STYLE = """
:root{color-scheme:light dark;--ground:#eef1f5;--card:#fff;--text:#17202b;--soft:#5b6775;--line:#dfe4ea;--code:#f2f4f7;--good:#16794a;--no:#a15c00;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ground:#11161c;--card:#1a212a;--text:#e7ecf2;--soft:#9aa7b5;--line:#2c3642;--code:#232c37;--good:#4cc38a;--no:#e0a243;--bad:#f2857d}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;padding:1.5rem;background:var(--ground);color:var(--text);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,Ubuntu,Cantarell,"Noto Sans",sans-serif}
main{width:100%;max-width:38rem;background:var(--card);border:1px solid var(--line);border-radius:14px;padding:2.25rem 2.25rem 1.5rem;box-shadow:0 10px 30px rgba(10,20,35,.08)}
header{display:flex;align-items:center;gap:1rem;margin-bottom:1rem}
svg{flex:none;width:44px;height:44px;fill:none;stroke:currentColor;stroke-width:2.6;stroke-linecap:round;stroke-linejoin:round}
.good svg{color:var(--good)}.no svg{color:var(--no)}.bad svg{color:var(--bad)}
h1{font-size:1.5rem;line-height:1.25;margin:0;letter-spacing:-.01em}
p{margin:.5rem 0}
dl{margin:1.25rem 0;display:grid;grid-template-columns:max-content 1fr;gap:.55rem 1.25rem;padding:1.1rem 0;border:solid var(--line);border-width:1px 0}
dt{color:var(--soft)}dd{margin:0;font-weight:600;font-size:.95rem;overflow-wrap:anywhere}
dd span{display:block}
.note{border-left:3px solid var(--no);margin:.9rem 0;padding:.1rem 0 .1rem .9rem}
code{background:var(--code);border-radius:6px;padding:.15em .45em;font:.92em ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;overflow-wrap:anywhere}
footer{margin-top:1.5rem;padding-top:.9rem;border-top:1px solid var(--line);color:var(--soft);font-size:.85rem}
@media(max-width:30rem){main{padding:1.5rem 1.25rem 1.1rem}dl{grid-template-columns:1fr;gap:.1rem}dd{margin-bottom:.6rem}}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        (
            f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        ),
    ),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_ICONS = {
    "good": '<circle cx="22" cy="22" r="19"/><path d="M13.5 22.5l6 6 11-12"/>',
    "no": '<circle cx="22" cy="22" r="19"/><path d="M13 22h18"/>',
    "bad": '<circle cx="22" cy="22" r="19"/><path d="M22 12v13M22 31v.5"/>',
}
_MOST_ACCOUNTS = 4
_CLOSE = "<p>You can close this tab.</p>"


@dataclass(frozen=True, slots=True)
class Page:
    """An answer to a browser; with a `location` it is sent on."""

    status: int
    body: bytes = field(default=b"", repr=False)
    location: str | None = field(default=None, repr=False)


def signed_in(sign_in: SignIn, person: Person, before: str | None, *asides: str) -> Page:
    """It worked. `before` is who signed in last time, where that was somebody else; `asides` are things to know or do."""
    facts = [("Portal", [sign_in.start_url])]
    if sign_in.kind is Kind.SSO_SESSION:
        facts.insert(0, ("Sign-in", [sign_in.name]))
    if person.name:
        facts.append(("Signed in as", [person.name]))
    if person.accounts:
        more = len(person.accounts) - _MOST_ACCOUNTS
        rows = [*person.accounts[:_MOST_ACCOUNTS], *([f"and {more} more"] if more > 0 else [])]
        facts.append(("Account" if len(rows) == 1 else "Accounts", rows))
    notes = [_sentence(aside) for aside in asides]
    if before:
        notes.insert(0, f"Last time it was {_shown(before, 80)}. If you did not mean to change, sign in again.")
    shown = "".join(f'<p class="note">{note}</p>' for note in notes)
    return _page(
        200,
        "good",
        "You are signed in",
        _facts(facts) + shown + "<p>Programs that waited go on by themselves. You can close this tab.</p>",
    )


def denied(sign_in: SignIn, aftermath: str = "") -> Page:
    """The person said no; `aftermath` is what follows from it, where more does than nothing."""
    more = f'<p class="note">{_sentence(aftermath)}</p>' if aftermath else ""
    return _page(
        200,
        "no",
        "Sign-in denied",
        "<p>You denied the request, so nothing was given out.</p>" + _which(sign_in) + more + _again(sign_in) + _CLOSE,
    )


def failed(sign_in: SignIn, message: str) -> Page:
    """It did not work; `message` says why."""
    said = f"<p>{_sentence(message)}</p>"
    return _page(200, "bad", "The sign-in did not work", said + _which(sign_in) + _again(sign_in) + _CLOSE)


def stale() -> Page:
    """The link, or the way back, was used before."""
    return _page(
        410,
        "no",
        "This link was used already",
        "<p>It works once. If the sign-in page is open in another tab or window, go on there.</p>"
        "<p>If it was not you who opened it, cancel the sign-in where you began it, and begin anew.</p>",
    )


def refused(status: int, reason: str) -> Page:
    """A request that no browser on its way through a sign-in makes."""
    return _page(status, "bad", "This is not a sign-in", f"<p>{_shown(reason)}</p><p>Nothing was changed.</p>")


def _sentence(text: str) -> str:
    shown = _shown(text, 300)
    return f"{shown[:1].upper()}{shown[1:]}."


def _which(sign_in: SignIn) -> str:
    own = [("Sign-in", [sign_in.name])] if sign_in.kind is Kind.SSO_SESSION else []
    return _facts([*own, ("Portal", [sign_in.start_url])])


def _again(sign_in: SignIn) -> str:
    return f"<p>To try again: <code>{_shown(login_command(sign_in))}</code></p>"


def _facts(rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    shown = (
        f"<dt>{name}</dt><dd>{''.join(f'<span><bdi>{_shown(text)}</bdi></span>' for text in texts)}</dd>"
        for name, texts in rows
    )
    return f"<dl>{''.join(shown)}</dl>"


def _page(status: int, mood: str, title: str, content: str) -> Page:
    return Page(
        status,
        (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<link rel="icon" href="data:,"><title>{title} · ssowatch</title><style>{_STYLE}</style></head>'
            f'<body><main class="{mood}"><header><svg viewBox="0 0 44 44" aria-hidden="true">{_ICONS[mood]}</svg>'
            f"<h1>{title}</h1></header>{content}"
            "<footer>ssowatch, on this machine</footer></main></body></html>\n"
        ).encode(),
    )


def _shown(text: str, limit: int = 120) -> str:
    return escape(plain(text, limit))
