"""What the log, the service manager and a notice say (rank 1, pure). Names pass through `plain`."""

from __future__ import annotations

from collections.abc import Sequence

from ssowatch.model import Cause, Notice, Problem, State, Tab
from ssowatch.plain import plain
from ssowatch.protocol import Row, moment

_CAUSES = {
    Cause.ENDING: "the sign-in ends soon",
    Cause.REFUSED: "AWS refuses to renew it; the token still works",
    Cause.ENDED: "the sign-in has ended",
    Cause.OFFER: "a fresh sign-in suits now",
}


def state_line(row: Row) -> str:
    """A sign-in's state, for the log."""
    plan = row.plan
    until = f", good until {moment(plan.good_until)}" if plan.good_until else ""
    problem = f"; {plain(plan.problem.message)}" if plan.problem else ""
    return f"{plain(row.sign_in.name)}: {plan.state}{until}{problem}"


def ask_line(row: Row, action: Notice | Tab) -> str:
    """That a person is needed, for the log."""
    what = "a person is needed" if isinstance(action, Notice) else "a sign-in is due"
    fix = f"; {plain(row.plan.problem.fix)}" if row.plan.problem and row.plan.problem.fix else ""
    return f"{plain(row.sign_in.name)}: {what}: {_CAUSES[action.cause]}{fix}"


def service_line(rows: Sequence[Row], problem: Problem | None) -> str:
    """One line for `systemctl status`: how many of which state, and what needs a person first."""
    if problem:
        return plain(problem.message)
    if not rows:
        return "no sign-ins to watch"
    counts = [(state, sum(row.plan.state is state for row in rows)) for state in State]
    said = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in counts if count)
    renewals = [row.plan.renew_at for row in rows if row.plan.renew_at]
    upcoming = f"; next renewal {moment(min(renewals))}" if renewals else ""
    return f"{len(rows)} sign-in{'s' if len(rows) > 1 else ''}: {said}{upcoming}"
