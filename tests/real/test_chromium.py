"""A real Chromium walks through a sign-in to the page at its end, and each page is kept as a picture."""

from __future__ import annotations

import concurrent.futures
import ctypes
import queue
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from real.chromium import PATIENCE, Chromium, WebDriverError, window
from simulator.faults import Fault
from simulator.faults import Kind as Weather
from simulator.person import Person
from simulator.server import Simulator

from ssowatch import authorization, cache, memories, paths, signing_in
from ssowatch.model import Kind, SignIn
from ssowatch.signing_in import Outcome, Result, Waiting

pytestmark = [pytest.mark.real, pytest.mark.sign_in]

START_URL = "https://d-1234567890.awsapps.com/start"
CORP = SignIn("corp", Kind.SSO_SESSION, START_URL, "us-east-1", ("dev",))


@pytest.fixture
def simulator(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    monkeypatch.setattr(authorization, "_WHO_SECONDS", PATIENCE)  # a browser and its pages keep this machine busy
    monkeypatch.setattr(authorization, "_ONE_CALL_SECONDS", PATIENCE)
    with Simulator() as simulator:
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        yield simulator
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """One for all: what it remembers of one Identity Center means nothing to the next."""
    with window(tmp_path_factory.mktemp("c"), tmp_path_factory.mktemp("pictures")) as chromium:
        yield chromium


class Walk:
    """A sign-in that waits, in a thread, for what the browser does."""

    def __init__(self, method: str, who: SignIn = CORP, *, fresh: bool = False) -> None:
        self._waiting: queue.Queue[Waiting] = queue.Queue()
        self._pool = concurrent.futures.ThreadPoolExecutor(1)
        self._outcome = self._pool.submit(
            signing_in.sign_in, who, method, fresh=fresh, waiting=self._waiting.put, seconds=PATIENCE
        )

    def waiting(self) -> Waiting:
        return self._waiting.get(timeout=PATIENCE)

    def outcome(self) -> Outcome:
        try:
            return self._outcome.result(PATIENCE)
        finally:
            self._pool.shutdown()


def decide(chromium: Chromium, button: str, user: str = "anna") -> None:
    """Sign in where the portal asks who it is, and press a button."""
    if "User name" in chromium.until("User name", "Signed in as"):
        chromium.type("input[name=user]", user)
        chromium.press("Sign in")
        chromium.until("Signed in as")
    chromium.press(button)


def looks_whole(chromium: Chromium) -> bool:
    """The style sheet is in force under the page's own policy, and nothing is cut off at the right."""
    return bool(
        chromium.run(
            "return getComputedStyle(document.querySelector('main')).borderTopLeftRadius !== '0px'"
            " && document.documentElement.scrollWidth <= innerWidth"
        )
    )


def test_signing_in_by_pkce(simulator, chromium):
    walk = Walk("pkce")
    link = walk.waiting().link
    chromium.open(link)
    assert re.match(rf"{simulator.url}/authorize\?", chromium.url)
    chromium.picture("pkce-who-are-you")
    decide(chromium, "Allow")
    said = chromium.until("You are signed in")
    outcome = walk.outcome()
    assert (outcome.result, outcome.who) == (Result.SIGNED_IN, "anna")
    for text in ("corp", START_URL, "anna", "development (111111111111)", "production (222222222222)"):
        assert text in said
    assert looks_whole(chromium)
    chromium.picture("pkce-success")
    contents = cache.load("corp")
    assert contents
    assert contents.access_token not in chromium.run("return document.documentElement.outerHTML")
    assert [call.outcome for call in simulator.calls("CreateToken")] == ["ok"]


def test_a_portal_that_knows_the_person_still_and_somebody_else_than_last_time(simulator, chromium):
    first = Walk("pkce")
    chromium.open(first.waiting().link)
    decide(chromium, "Allow", "bob")
    chromium.until("You are signed in")
    assert first.outcome().who == "bob"
    memories.update("corp", lambda known: _was(known, "anna"), 5)
    second = Walk("pkce")
    chromium.open(second.waiting().link)
    assert "User name" not in chromium.text, "the portal's cookie"
    decide(chromium, "Allow")
    chromium.until("Last time it was anna")
    assert second.outcome().message == "signed in as bob (last time it was anna)"
    assert looks_whole(chromium)
    chromium.picture("pkce-somebody-else")


def _was(known, who):
    return replace(known, lineage=replace(known.lineage, who=who))


def test_denying_by_pkce(simulator, chromium):
    walk = Walk("pkce")
    chromium.open(walk.waiting().link)
    decide(chromium, "Deny")
    said = chromium.until("Sign-in denied")
    assert "ssowatch login corp" in said
    assert walk.outcome().result is Result.DENIED
    assert looks_whole(chromium)
    chromium.picture("pkce-denied")
    assert not Path(paths.token_file("corp")).exists()


def test_denying_a_fresh_sign_in(simulator, chromium):
    first = Walk("pkce")
    Person("anna").decide(first.waiting().link)
    assert first.outcome().result is Result.SIGNED_IN
    walk = Walk("pkce", fresh=True)
    chromium.open(walk.waiting().link)
    decide(chromium, "Deny")
    chromium.until("The old sign-in was ended before")
    assert walk.outcome().result is Result.DENIED
    chromium.picture("pkce-fresh-denied")


def test_a_forged_state_ends_nothing(simulator, chromium):
    walk = Walk("pkce")
    link = walk.waiting().link
    root = link.rpartition("/")[0]
    chromium.open(f"{root}/oauth/callback?code=evil&state=guess")
    chromium.until("This does not belong to the sign-in that was begun here")
    assert looks_whole(chromium)
    chromium.picture("pkce-state-mismatch")
    chromium.open(link)
    decide(chromium, "Allow")
    chromium.until("You are signed in")
    assert walk.outcome().result is Result.SIGNED_IN


def test_a_link_that_somebody_used_before(simulator, chromium):
    walk = Walk("pkce")
    link = walk.waiting().link
    taken = Person("anna", follow=False).open(link).headers["Location"]
    chromium.open(link)
    chromium.until("This link was used already")
    assert looks_whole(chromium)
    chromium.picture("pkce-stale-link")
    Person("anna").decide(taken)
    assert walk.outcome().result is Result.SIGNED_IN


def test_an_exchange_that_fails(simulator, chromium):
    walk = Walk("pkce")
    chromium.open(walk.waiting().link)
    chromium.type("input[name=user]", "anna")
    chromium.press("Sign in")
    simulator.add_fault(Fault(Weather.RESET_AFTER, "CreateToken", count=1))
    chromium.until("Signed in as")
    chromium.press("Allow")
    chromium.until("The sign-in did not work")
    assert looks_whole(chromium)
    chromium.picture("pkce-failed")
    assert walk.outcome().result is Result.FAILED


def test_signing_in_by_device_code(simulator, chromium):
    walk = Walk("device")
    waiting = walk.waiting()
    chromium.open(waiting.link)
    chromium.type("input[name=user]", "anna")
    chromium.press("Sign in")
    said = chromium.until("Signed in as")
    assert waiting.code
    assert waiting.code in said
    assert "ssowatch-" in said
    chromium.picture("device-consent")
    chromium.press("Allow")
    chromium.until("Request approved")
    chromium.picture("device-success")
    assert walk.outcome().who == "anna"


def test_typing_a_device_code(simulator, chromium):
    walk = Walk("device")
    waiting = walk.waiting()
    assert waiting.page
    assert waiting.code
    chromium.open(waiting.page)
    chromium.type("input[name=user_code]", waiting.code.lower())
    chromium.press("Next")
    decide(chromium, "Allow")
    chromium.until("Request approved")
    assert walk.outcome().who == "anna"


def test_denying_a_device_code(simulator, chromium):
    walk = Walk("device")
    chromium.open(walk.waiting().link)
    decide(chromium, "Deny")
    chromium.until("Request denied")
    chromium.picture("device-denied")
    assert walk.outcome().result is Result.DENIED


def test_markup_in_names_is_text(simulator, chromium):
    walk = Walk("pkce", SignIn("<img src=x onerror=alert(1)>", Kind.SSO_SESSION, START_URL, "us-east-1"))
    chromium.open(walk.waiting().link)
    decide(chromium, "Allow", "<b>eve</b>")
    said = chromium.until("You are signed in")
    assert "<img src=x onerror=alert(1)>" in said
    assert "<b>eve</b>" in said
    assert chromium.run("return document.querySelectorAll('img, b, script').length") == 0
    assert walk.outcome().result is Result.SIGNED_IN


def test_the_browser_reaches_no_network(chromium):
    began = time.monotonic()
    with pytest.raises(WebDriverError, match="ERR_NAME_NOT_RESOLVED"):
        chromium.open("http://example.com/")
    assert time.monotonic() - began < PATIENCE
