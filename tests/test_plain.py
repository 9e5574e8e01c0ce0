"""Text of somebody else, made fit for a terminal: as words, and as JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssowatch.plain import escaped, plain

ROWS = [
    # text, as words, as JSON
    ("corp", "corp", '"corp"'),
    ("grün 日本", "grün 日本", '"grün 日本"'),
    ("a\x1b[31mb", "a [31mb", '"a\\u001b[31mb"'),
    ("\x9b31m", "31m", '"\\u009b31m"'),
    ("\u202egpj", "gpj", '"\\u202egpj"'),
    ("a\u2028b\u200bc", "a b c", '"a\\u2028b\\u200bc"'),
    ("\U000e0041", "", '"\\udb40\\udc41"'),
    ("\ud800", "", '"?"'),
    ("a\nb  c", "a b c", '"a\\nb  c"'),
    ("x" * 200, "x" * 200, f'"{"x" * 200}"'),
    ("x" * 300, "x" * 199 + "…", f'"{"x" * 300}"'),
    (" " * 800 + "behind", "", f'"{" " * 800}behind"'),  # four times the limit is all that is looked at
]


@pytest.mark.parametrize(("text", "words", "line"), ROWS)
def test_text_of_somebody_else(text, words, line):
    assert plain(text) == words
    assert escaped(json.dumps(text, ensure_ascii=False)) == line


@given(st.text() | st.dictionaries(st.text(), st.text()))
def test_the_value_is_the_same_and_the_line_is_harmless(value):
    line = escaped(json.dumps(value, ensure_ascii=False))
    assert json.loads(line) == json.loads(json.dumps(value))
    assert line.isprintable()
