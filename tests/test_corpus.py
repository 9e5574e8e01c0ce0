"""The kept corpus of the fuzzer, once through every parser: what it found before is found no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzing.parsers import PARSERS

CORPUS = Path(__file__).with_name("corpus")


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_the_corpus(parser):
    inputs = [*parser.seeds(), *(path.read_bytes() for path in sorted((CORPUS / parser.name).iterdir()))]
    assert inputs
    for content in inputs:
        try:
            parser.feed(content)
        except Exception as error:
            raise AssertionError(f"{content!r}") from error


def test_every_corpus_has_its_parser():
    assert {path.name for path in CORPUS.iterdir()} <= {parser.name for parser in PARSERS}
