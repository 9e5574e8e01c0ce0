"""Somebody with a browser, over plain HTTP: opens a page, types a name, presses a button by its label.

Rules of this file:
1. Only what a page offers can be pressed, and a form goes where the page says: a page that a browser could not use is
   of no use here either.
2. One `Person` is one browser: it keeps cookies. It knows no proxy, which must not come between a test and loopback.
3. `python -m simulator.person URL` is a browser for a program's BROWSER variable.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from html.parser import HTMLParser
from typing import IO, Any
from urllib.parse import urlencode, urljoin

_PATIENCE = 30.0


@dataclass
class Form:
    """One form of a page."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By label: the name and value that pressing it adds."""


@dataclass(frozen=True)
class Page:
    """What the browser shows."""

    url: str
    status: int
    text: str
    headers: Mapping[str, str]
    forms: tuple[Form, ...]

    @property
    def labels(self) -> list[str]:
        """Of the buttons."""
        return [label for form in self.forms for label in form.buttons]


class Person:
    """A person; `follow=False` stops at a redirect, to look at it."""

    def __init__(self, user: str = "someone", *, follow: bool = True) -> None:
        self.user = user
        ways: list[urllib.request.BaseHandler] = [
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(),
        ]
        self._browser = urllib.request.build_opener(*ways, *([] if follow else [_Stay()]))

    def open(self, url: str, form: Mapping[str, str] | None = None) -> Page:
        """Go there; with a form, post it."""
        body = None if form is None else urlencode(form).encode()
        try:
            answer = self._browser.open(url, body, timeout=_PATIENCE)
        except urllib.error.HTTPError as error:
            answer = error
        with contextlib.closing(answer):
            text = answer.read().decode()
            reader = _Reader(answer.url)
            reader.feed(text)
            return Page(answer.url, answer.status, text, dict(answer.headers.items()), tuple(reader.forms))

    def press(self, page: Page, label: str, **typed: str) -> Page:
        """Press the button of this label, with these fields filled in.

        Raises:
            LookupError: the page has no such button, or its form no such field.

        """
        for form in page.forms:
            if label in form.buttons:
                if unknown := typed.keys() - form.fields.keys():
                    raise LookupError(f"no field {unknown} on {page.url}")
                name, value = form.buttons[label]
                content = {**form.fields, **typed, **({name: value} if name else {})}
                if form.method == "get":
                    return self.open(f"{form.action.partition('?')[0]}?{urlencode(content)}")
                return self.open(form.action, content)
        raise LookupError(f"no button {label!r} on {page.url}, only {page.labels}")

    def decide(self, url: str, label: str = "Allow") -> Page:
        """Open the page, sign in where it asks for a name, and press the button where there is one still."""
        page = self.open(url)
        if "Sign in" in page.labels:
            page = self.press(page, "Sign in", user=self.user)
        return self.press(page, label) if label in page.labels else page


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """Not."""


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._url = url
        self._button: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = dict(attrs)
        if tag == "form":
            self.forms.append(Form(given.get("method", "get"), urljoin(self._url, given.get("action") or self._url)))
        elif tag == "input":
            self.forms[-1].fields[given["name"]] = given.get("value") or ""
        elif tag == "button":
            self._button = (given.get("name") or "", given.get("value") or "")

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self.forms[-1].buttons[data] = self._button
            self._button = None


def main() -> int:
    """Be the browser that a program opens."""
    parser = argparse.ArgumentParser(prog="python -m simulator.person")
    parser.add_argument("--press", default="Allow", metavar="LABEL", help="the button to press at the end")
    parser.add_argument("--user", default="someone", help="the name to sign in with")
    parser.add_argument("url")
    arguments = parser.parse_args()
    return int(Person(arguments.user).decide(arguments.url, arguments.press).status >= 400)


if __name__ == "__main__":
    sys.exit(main())
