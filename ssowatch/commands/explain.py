"""`ssowatch explain`: what an AWS error text means here, and what to do."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from typing import BinaryIO

from ssowatch import explanation, published, survey
from ssowatch.clock import utc_now

_HALF = 4 << 20  # bytes at either end of what is piped in


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("text", nargs="*", metavar="TEXT", help="the error text; - or nothing: what is piped in")


def run(options: argparse.Namespace) -> int:
    """Explain it; exit 0 it is known, 1 it is not, 2 there is no text."""
    text = " ".join(options.text)
    if text in {"", "-"}:
        if sys.stdin is None or (not text and sys.stdin.isatty()):
            print("ssowatch: give it a text, or pipe one in: some-command 2>&1 | ssowatch explain", file=sys.stderr)
            return 2
        text = _both_ends(sys.stdin.buffer)
    if not text.strip():
        print("ssowatch: the text is empty", file=sys.stderr)
        return 2
    now = utc_now().astimezone()
    document = published.document() or survey.document(now)
    profile = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    width = min(shutil.get_terminal_size().columns, 100)
    said = explanation.explain(text, document, now, profile=profile, width=width)
    if said is None:
        print("This is no AWS credentials error that ssowatch knows; a sign-in is probably not the reason.")
        return 1
    print(said)
    return 0


def _both_ends(stream: BinaryIO) -> str:
    """What is piped in; of an endless log what stands at its beginning and its end."""
    head = stream.read(_HALF)
    tail = b""
    dropped = False
    while part := stream.read(1 << 20):
        tail += part
        if len(tail) > 2 * _HALF:
            tail, dropped = tail[-_HALF:], True
    content = head + (b"\n" if dropped else b"") + tail[-_HALF:]
    return content.decode("utf-8", "replace")
