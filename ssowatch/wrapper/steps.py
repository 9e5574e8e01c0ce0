"""What to do with an answer that may be the sign-in's fault (rank 1, pure): the state decides, never the text alone."""

from __future__ import annotations

from enum import StrEnum

from ssowatch.wrapper.readings import Answer, Reading


class Step(StrEnum):
    """The next one."""

    PASS = "pass"  # noqa: S105 - a word
    """The answer goes to the client as it is."""
    RETRY = "retry"
    """The sign-in works by now: the call is sent again."""
    ENSURE = "ensure"
    """It does not: it is renewed, or a person is asked, and then the call is sent again."""
    DOUBT = "doubt"
    """By the file it works, and the answer says that it does not: AWS is asked."""
    RESTART = "restart"
    """The server keeps dead keys."""


def next_step(answer: Answer, *, worked: bool, works: bool, same: bool) -> Step:
    """The step. `worked`: the token was good when the call was sent; `works`: it is now; `same`: it is the same token.

    An error about the token says that the request was never signed, so sending it again repeats nothing. A masked one
    may have come after the act: that it was the token is only sure where the token was no good when the call was sent.
    """
    match answer.reading:
        case Reading.GOOD:
            return Step.PASS
        case Reading.KEYS:
            return Step.RESTART if works else Step.PASS
        case Reading.MASKED if worked:
            return Step.PASS
        case Reading.MENTIONS_TOKEN if works and worked and same:
            return Step.PASS
        case Reading.TOKEN if works and worked and same:
            return Step.DOUBT
    return Step.RETRY if works else Step.ENSURE
