"""`ssowatch setup [--yes] [--remove]`: from nothing to protected, and back."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterable

from ssowatch import client, published, setup, status_table, survey
from ssowatch.clock import utc_now
from ssowatch.paragraphs import wrapped
from ssowatch.setup import Finding, Mend, NotMendedError
from ssowatch.setup.removal import removed
from ssowatch.setup.verdict import verdict
from ssowatch.world import World

_WIDEST = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--yes", action="store_true", help="ask nothing: take every mend that can do no harm")
    parser.add_argument("--remove", action="store_true", help="stop the service and take every file of ours away")


def run(options: argparse.Namespace) -> int:
    """Exit 0 the watcher runs (or, with --remove, is gone), 1 it cannot, 2 nobody to ask, 78 a config that cannot be used."""
    if not options.yes and not sys.stdin.isatty():
        print("ssowatch: there is no terminal to ask at; `--yes` asks nothing", file=sys.stderr)
        return 2
    conversation = _Conversation(asks=not options.yes)
    if options.remove:
        ended = conversation.about("Removing", removed())
        print("ssowatch is removed from this home. The program itself: pipx uninstall ssowatch" if ended else "")
        return 0 if ended else 1
    for step in setup.STEPS:
        if not conversation.about(step.title, step.look(conversation.columns)):
            return os.EX_CONFIG if World(recording=False).settings_error else 1
    client.ask("look")
    document = published.document() or survey.document(utc_now())
    print(status_table.table(document, utc_now().astimezone(), conversation.columns))
    protected, said = verdict(document)
    print()
    conversation.say(said, "")
    return 0 if protected else 1


class _Conversation:
    """What is said and asked at a terminal of some width."""

    def __init__(self, *, asks: bool) -> None:
        self._asks = asks
        self.columns = min(shutil.get_terminal_size().columns, _WIDEST)

    def about(self, title: str, findings: Iterable[Finding]) -> bool:
        """Go through the findings of one step; False if one of them is final."""
        number = -1
        for number, finding in enumerate(findings):
            if number == 0:
                print(title)
            self.say(finding.text, "  " if finding.good else "! ")
            if finding.question:
                if self._asks and not _agreed(finding.question, usual=True):
                    self.say(finding.fix, "> ")
            elif not (finding.mend and self._mended(finding.mend)) and finding.fix:
                self.say(finding.fix, "> ")
            if finding.final:
                return False
        if number >= 0:
            print(flush=True)
        return True

    def _mended(self, mend: Mend) -> bool:
        """Offer a mend and do it; whether it was done."""
        if not self._asks and not mend.safe:
            return False
        for line in mend.diff:
            print(f"    {line}")
        if self._asks and not _agreed(mend.question, usual=mend.usual):
            return False
        try:
            for line in mend.apply():
                self.say(line, "  ")
        except NotMendedError as error:
            self.say(str(error), "! ")
            self.say(error.fix, "> ")
        return True

    def say(self, text: str, mark: str) -> None:
        """A paragraph, its first line marked."""
        indent = " " * len(mark)
        print((mark + wrapped(text, self.columns, indent)[len(mark) :]) if text else "", flush=True)


def _agreed(question: str, *, usual: bool) -> bool:
    try:
        answer = input(f"  {question} [{'Y/n' if usual else 'y/N'}] ").strip().lower()
    except EOFError:
        print()
        return False
    return answer in {"y", "yes"} or (not answer and usual)
