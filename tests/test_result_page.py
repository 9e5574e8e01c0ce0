"""The pages at the end of a sign-in, as text; how they look is in tests/real/test_chromium.py."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from ssowatch import result_page
from ssowatch.answers import Person
from ssowatch.model import Kind, SignIn

START_URL = "https://d-1234567890.awsapps.com/start"
CORP = SignIn("corp", Kind.SSO_SESSION, START_URL, "us-east-1", ("dev",))
OLD = SignIn(START_URL, Kind.LEGACY, START_URL, "us-east-1", ("old profile",))
EVIL = "<script>alert(1)</script>\u202e\x1b[31m\"'&"
EVIL_ONE = SignIn(EVIL, Kind.SSO_SESSION, f"https://{EVIL}", "us-east-1")
PAGES = {
    "signed-in": lambda who, text: result_page.signed_in(who, Person(text, (text,)), text, text),
    "denied": result_page.denied,
    "failed": result_page.failed,
    "refused": lambda _, text: result_page.refused(403, text),
    "stale": lambda *_: result_page.stale(),
}


class Reader(HTMLParser):
    """Which elements a page has, and its text outside of the style sheet."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self.attributes = set(), [], set()
        self._style = False
        self.feed(page.body.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._style = tag == "style"

    def handle_endtag(self, tag):
        self._style = False

    def handle_data(self, data):
        if not self._style:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_script_no_form_and_nothing_from_elsewhere(name):
    page = Reader(PAGES[name](CORP, "text"))
    assert not page.tags & {"script", "form", "img", "iframe", "a", "object", "base"}
    assert not {one for one in page.attributes if one.startswith("on")} | page.attributes & {"src", "style"}
    assert "title" in page.tags


@pytest.mark.parametrize("name", PAGES)
def test_what_others_wrote_is_text(name):
    page = PAGES[name](EVIL_ONE, EVIL)
    body = page.body.decode()
    assert "<script" not in body
    assert "\u202e" not in body
    assert "\x1b" not in body
    assert Reader(page).tags == Reader(PAGES[name](CORP, "text")).tags


@pytest.mark.parametrize("name", PAGES)
def test_a_long_text_is_cut(name):
    assert len(PAGES[name](CORP, "x" * 10_000).body) < 8_000


def test_the_policy_allows_the_one_style_sheet():
    body = result_page.stale().body.decode()
    style = re.search(r"<style>(.*)</style>", body, re.DOTALL)[1]
    wanted = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = dict(result_page.HEADERS)["Content-Security-Policy"]
    assert f"style-src 'sha256-{wanted}'" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


@pytest.mark.parametrize(
    ("page", "texts"),
    [
        pytest.param(
            result_page.signed_in(CORP, Person("anna", ("development (1)", "production (2)")), None),
            [
                "You are signed in",
                f"Sign-in corp Portal {START_URL} Signed in as anna Accounts development (1) production (2) Programs",
            ],
            id="signed-in",
        ),
        pytest.param(
            result_page.signed_in(CORP, Person("anna", ("one (1)",)), None), ["Account one (1)"], id="account"
        ),
        pytest.param(
            result_page.signed_in(CORP, Person("anna", tuple("abcd")), None), ["Accounts a b c d Programs"], id="four"
        ),
        pytest.param(
            result_page.signed_in(CORP, Person("anna", tuple("abcde")), None), ["a b c d and 1 more"], id="five"
        ),
        pytest.param(
            result_page.signed_in(CORP, Person("anna", tuple("abcdef")), None), ["a b c d and 2 more"], id="accounts"
        ),
        pytest.param(
            result_page.signed_in(CORP, Person("bob"), "anna"), ["Last time it was anna."], id="somebody-else"
        ),
        pytest.param(
            result_page.signed_in(CORP, Person("bob"), None, "it was late", "Restart s3 (Claude Desktop): …"),
            ["It was late.", "Restart s3 (Claude Desktop): …"],
            id="asides",
        ),
        pytest.param(
            result_page.signed_in(CORP, Person("bob"), "anna", "it was late"),
            ["Last time it was anna. If you did not mean to change, sign in again. It was late."],
            id="somebody-else-and-asides",
        ),
        pytest.param(
            result_page.signed_in(CORP, Person("bob"), "x" * 81), [f"Last time it was {'x' * 79}…."], id="a-long-name"
        ),
        pytest.param(result_page.failed(CORP, "x" * 301), [f"X{'x' * 298}…."], id="a-long-reason"),
        pytest.param(result_page.refused(403, "x" * 121), [f"{'x' * 119}…"], id="a-long-refusal"),
        pytest.param(
            result_page.denied(CORP, "nobody is asked for an hour"), ["Nobody is asked for an hour."], id="aftermath"
        ),
        pytest.param(
            result_page.denied(CORP),
            [
                "Sign-in denied",
                "nothing was given out",
                f"Sign-in corp Portal {START_URL} To try",
                "To try again: ssowatch login corp",
            ],
            id="denied",
        ),
        pytest.param(result_page.denied(OLD), ["ssowatch login 'old profile'"], id="legacy"),
        pytest.param(result_page.failed(CORP, "it broke"), ["The sign-in did not work", "It broke."], id="failed"),
    ],
)
def test_what_a_page_says(page, texts):
    shown = Reader(page).text
    for text in texts:
        assert text in shown


@pytest.mark.parametrize("page", [result_page.signed_in(OLD, Person(), None), result_page.denied(OLD)])
def test_a_legacy_sign_in_names_its_portal_once(page):
    assert Reader(page).text.count(START_URL) == 1


def test_a_note_is_there_only_where_there_is_one():
    assert b'class="note"' in result_page.denied(CORP, "nobody is asked for an hour").body
    assert b'class="note"' not in result_page.denied(CORP).body


@pytest.mark.parametrize(
    ("page", "status"),
    [
        pytest.param(result_page.signed_in(CORP, Person(), None), 200, id="signed in"),
        pytest.param(result_page.denied(CORP), 200, id="denied"),
        pytest.param(result_page.failed(CORP, "it broke"), 200, id="failed"),
        pytest.param(result_page.stale(), 410, id="stale"),
        pytest.param(result_page.refused(405, "no"), 405, id="refused"),
    ],
)
def test_a_status_that_no_browser_takes_for_another(page, status):
    assert page.status == status


def test_a_page_keeps_body_and_way_out_of_its_repr():
    assert "corp" not in repr(result_page.denied(CORP))
    assert "secret" not in repr(result_page.Page(302, location="https://portal.example/?state=secret"))
