"""What the demo tells, step by step. Nothing is staged: each line reports what the processes on the stage just did."""

from __future__ import annotations

from datetime import datetime, timedelta

from rich.console import Console
from rich.markup import escape

from ssowatch.demo.stage import Stage, stage

_HOUR = timedelta(hours=1)
_TEN = timedelta(minutes=10)


def tell(console: Console, *, fast: bool) -> bool:
    """Play the day; True if no call failed while the sign-in lived, and all was well at the end."""
    length = 3 * _HOUR if fast else 8 * _HOUR
    with stage(rate=1800 if fast else 360, sign_in_length=length) as on:
        return _Story(console, on, on.clock.now() + length).play()


class _Story:
    def __init__(self, console: Console, on: Stage, ends: datetime) -> None:
        self._console = console
        self._on = on
        self._ends = ends
        self._calls = self._failed = 0
        self._renewals = 0

    def play(self) -> bool:
        """All the steps."""
        self._opening()
        self._renewal()
        self._outage()
        self._sleep()
        refused = self._end()
        recovered = self._sign_in()
        return self._closing(refused=refused, recovered=recovered)

    def _opening(self) -> None:
        self._console.rule("[bold]ssowatch demo")
        self._say(
            "A throw-away home and a simulated Identity Center; the ssowatch service and the boto3 program are real. "
            "Access tokens live 1 hour, the clock runs fast, and your own ~/.aws is not touched."
        )
        self._on.sign_in()
        self._at("You signed in once, with your browser. [dim](The demo does it for you.)[/]")
        self._on.start_mcp_server()
        self._on.start_watcher()
        self._call()
        self._status(first=True)

    def _renewal(self) -> None:
        self._head("Silent renewals")
        self._say("The token ends at 10:00. boto3 would begin to renew it at 09:45, every program for itself.")
        self._pass(self._on.clock.now() + timedelta(minutes=35))
        self._on.until(_well, "the first renewal")
        self._at("ssowatch renewed it [bold]half an hour ahead[/], so no program ever has to.")
        self._call()

    def _outage(self) -> None:
        self._head("The token service of Identity Center is out of order for 20 minutes")
        self._pass(self._renews_at() - timedelta(minutes=2))
        self._on.portal.out_of_order = True
        self._pass(self._on.clock.now() + _TEN)
        self._on.until(lambda state: state["sign_ins"][0]["problem"], "the outage is noticed")
        self._call()
        self._status()
        self._say("That is no reason to sign in again, and nobody is bothered: it goes on trying.")
        self._pass(self._on.clock.now() + _TEN)
        self._on.portal.out_of_order = False
        self._on.until(_well, "a renewal after the outage")
        self._at(f"The token service is back, and the token renewed. {self._made()}")
        self._call()

    def _sleep(self) -> None:
        self._head("The lid is closed for 70 minutes")
        self._on.clock.leap(timedelta(minutes=70))
        self._at("Awake. The token ran out meanwhile.")
        self._on.until(lambda state: _well(state) and self._alive(state), "a renewal after the sleep")
        self._at(f"Renewed at the first heartbeat. {self._made()}")
        self._call()

    def _end(self) -> bool:
        self._head("The sign-in itself ends")
        self._say(
            "No renewal can help with that: an administrator decides how long a sign-in lasts (8 hours by default)."
        )
        self._pass(self._ends - _TEN)
        self._status()
        self._pass(self._ends)
        self._at("That was it. The next renewal will be refused.")
        self._pass(max(self._ends, self._renews_at()) + timedelta(minutes=1))
        self._on.until(lambda state: state["sign_ins"][0]["state"] == "login_required", "the end is noticed")
        self._status()
        answer = self._on.call()
        self._line(answer["ok"], "MCP server: " + answer["text"])
        return not answer["ok"]

    def _sign_in(self) -> bool:
        self._head("You sign in again")
        self._on.sign_in()
        self._on.until(lambda state: state["sign_ins"][0]["state"] == "valid", "the sign-in is seen")
        answer = self._on.call()
        self._line(answer["ok"], "The same program, not restarted: " + answer["text"])
        self._status()
        return bool(answer["ok"])

    def _closing(self, *, refused: bool, recovered: bool) -> bool:
        self._console.rule()
        by_others = sum("Boto3" not in call.user_agent for call in self._on.portal.calls("CreateToken"))
        good = refused and recovered and not self._failed and not by_others
        self._say(
            f"[bold]{self._calls} calls while the sign-in lived, {self._failed} failed. {self._made_in_all()} renewals by ssowatch.[/] "
            "Start it for your own sign-ins with: [bold]ssowatch run[/]"
        )
        return good

    # passing

    def _pass(self, moment: datetime) -> None:
        """Let the time pass; the MCP server makes a call every 20 minutes, and renewals are told as they happen."""
        while (now := self._on.clock.now()) < moment:
            self._on.pass_until(min(moment, now + 2 * _TEN))
            if self._made_in_all() > self._renewals:
                self._at(f"[dim]renewed silently {self._made()}[/]")
            if self._on.clock.now() < min(moment, self._ends):
                answer = self._on.call()
                self._count(ok=answer["ok"])
                if not answer["ok"]:
                    self._line(answer["ok"], "MCP server: " + answer["text"])

    # telling

    def _count(self, *, ok: bool) -> None:
        self._calls += 1
        self._failed += not ok

    def _call(self) -> None:
        answer = self._on.call()
        self._count(ok=answer["ok"])
        self._line(answer["ok"], "MCP server: " + answer["text"])

    def _line(self, ok: bool, text: str) -> None:
        self._at(("[green]✓[/] " if ok else "[red]✗[/] ") + escape(text))

    def _at(self, text: str) -> None:
        self._console.print(f"[dim]{self._on.clock.now():%H:%M}[/]  {text}")

    def _say(self, text: str) -> None:
        self._console.print(text)

    def _head(self, text: str) -> None:
        self._console.print(f"\n[bold]{text}[/]")

    def _status(self, *, first: bool = False) -> None:
        answer = self._on.status().splitlines()[: None if first else -2]  # the pid and since when: once is enough
        shown = "\n".join("       " + line for line in ["$ ssowatch status", *answer])
        self._console.print(escape(shown), highlight=False, soft_wrap=True)

    # looking

    def _renews_at(self) -> datetime:
        state = self._on.state() or {}
        return datetime.fromisoformat(state["sign_ins"][0]["renew_at"])

    def _alive(self, state: dict) -> bool:  # type: ignore[type-arg]
        return datetime.fromisoformat(state["sign_ins"][0]["token_expires_at"]) > self._on.clock.now()

    def _made(self) -> str:
        before, self._renewals = self._renewals, self._made_in_all()
        count = self._renewals - before
        return f"[dim]({count} renewal{'' if count == 1 else 's'})[/]"

    def _made_in_all(self) -> int:
        return sum(call.outcome == "ok" for call in self._on.portal.calls("CreateToken"))


def _well(state: dict) -> bool:  # type: ignore[type-arg]
    sign_in = state["sign_ins"][0]
    return sign_in["state"] == "valid" and sign_in["problem"] is None
