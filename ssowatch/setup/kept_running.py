"""The service, put in place and started (composition; a step of `setup`)."""

from __future__ import annotations

from collections.abc import Iterator

from ssowatch import service, serving
from ssowatch.plain import plain
from ssowatch.service import CannotError, Condition
from ssowatch.setup.step import Finding, Mend, NotMendedError


class KeptRunning:
    """What starts the watcher with every log-in."""

    title = "Service"

    def look(self, columns: int) -> Iterator[Finding]:  # noqa: ARG002 - of the Protocol
        """Whether it is there, and what to do where it cannot be."""
        kind = service.here()
        try:
            serving.possible()
        except CannotError as error:
            _, found = serving.standing()
            text = f"{found.lines[0]}; {error}" if found.running else str(error)
            yield Finding(plain(text, 600), good=found.running, fix="" if found.running else error.fix)
            return
        found = kind.standing()
        if found.running and kind.is_current(service.program()):
            yield Finding(f"{kind.name}: {plain(found.lines[0], 400)}", good=not found.fix, fix=found.fix or "")
            return
        text = "not installed" if found.condition is Condition.MISSING else plain(found.lines[0], 400)
        yield Finding(
            f"{kind.name}: {text}",
            good=False,
            fix="Install and start it:\n  ssowatch service install",
            mend=Mend("Install it and start it now?", _installed),
        )


def _installed() -> list[str]:
    try:
        return serving.install()
    except CannotError as error:
        raise NotMendedError(str(error), error.fix) from None
