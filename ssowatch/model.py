"""The words ssowatch thinks in: frozen values without behaviour (rank 0).

Rules of this file:
1. No value here holds a token or another secret, so no log, `repr` or socket leaks one; tokens have a *fingerprint*.
2. Every moment is an aware `datetime` in UTC, every span a `timedelta`.
3. The names are the field's own. A *sign-in* is what one `aws sso login` gives: one token file, shared by its profiles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class Kind(StrEnum):
    """How the AWS config names a sign-in of Identity Center. The words of other kinds stand in `kinds/`."""

    SSO_SESSION = "sso-session"
    LEGACY = "legacy"


class State(StrEnum):
    """What a sign-in is worth now. First match wins, in this order."""

    MISCONFIGURED = "misconfigured"  # The AWS config cannot work
    SIGNED_OUT = "signed_out"  # No token
    LOGIN_REQUIRED = "login_required"  # Calls fail now and only a person can help
    UNREACHABLE = "unreachable"  # The token has run out, renewal should work, AWS does not answer; still trying
    EXPIRING = "expiring"  # Calls work; it ends within the warning time and only a person can prolong it
    VALID = "valid"  # Calls work


class Mode(StrEnum):
    """What ssowatch may do when only a person can help."""

    NOTIFY = "notify"
    AUTO = "auto"
    SILENT = "silent"


class Renew(StrEnum):
    """When tokens are renewed silently."""

    ALWAYS = "always"
    IN_USE = "in_use"
    NEVER = "never"


class Presence(StrEnum):
    """Whether a person sits at the screen."""

    PRESENT = "present"
    LOCKED = "locked"
    IDLE = "idle"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why a person is asked."""

    ENDING = "ending"  # The sign-in's end is known or forecast and near; the token is good
    REFUSED = "refused"  # Renewal was refused; the token still lives
    ENDED = "ended"  # Calls fail now
    OFFER = "offer"  # The token is good, and now is a good moment for a fresh sign-in


class Button(StrEnum):
    """What a notice offers; a button is shown only where pressing it improves the state."""

    FRESH = "Fresh sign-in"
    WHEN_IT_ENDS = "When it ends"
    SIGN_IN = "Sign in"
    NOT_TODAY = "Not today"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong, said so that it can be mended."""

    code: str  # One lower-case word for programs
    message: str  # Names file and place
    fix: str | None = None  # What to do


@dataclass(frozen=True, slots=True)
class SignIn:
    """One token file and what the AWS config says of it. Its name alone decides which file is read and may be written.

    `name` is the sso-session's name, the start URL of a legacy profile, or what a setting says for another kind (`kinds`).
    """

    name: str
    kind: str  # A word of `Kind`, or of another kind in `kinds/`
    start_url: str  # Empty for a kind without a portal, and so is the region
    region: str
    profiles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ("sso:account:access",)  # Without one AWS gives no refresh token
    ca_bundle: str | None = None  # Of the default or of one of its profiles: the CA file its HTTPS calls must trust
    problem: Problem | None = None  # Set when the config of this sign-in cannot work: state `misconfigured`


@dataclass(frozen=True, slots=True)
class Unwatched:
    """A profile that cannot be watched, and why."""

    profile: str
    reason: str


@dataclass(frozen=True, slots=True)
class AwsConfig:
    """What the AWS config files hold. `problem` is set when a file as a whole is broken."""

    sign_ins: tuple[SignIn, ...] = ()
    unwatched: tuple[Unwatched, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """The facts of a token file, without its secrets."""

    fingerprint: str  # Tells this token from every other one: a hash over access and refresh token
    client: str  # A hash of `clientId`; unchanged through all renewals of one sign-in. Empty where the file names none
    expires_at: datetime
    refreshable: bool  # The file holds a refresh token and the client id and secret that may use it
    registration_expires_at: datetime | None = None
    flaw: str | None = None  # Something in the file that some SDK cannot read although we can; a renewal mends it
    session: timedelta | None = None  # Whoever uses it renews it, and nobody else, in a session no longer than this
    used_at: datetime | None = None  # Somebody did so then or later: the token is no older. Set beside `session`


@dataclass(frozen=True, slots=True)
class TokenFile:
    """What stands at a sign-in's token path: a token, nothing, or something unreadable, since when and why."""

    token: Token | None = None  # While the file is unreadable: the last good one, if any
    fault: str | None = None
    fault_since: datetime | None = None
    closed: bool = False  # Beside a fault: its directory is not ours to write, so no sign-in would reach it either


@dataclass(frozen=True, slots=True)
class TokenMemory:
    """What was tried with one token. A new token starts a new one."""

    fingerprint: str = ""
    life: timedelta | None = None  # The server's own `expiresIn`, known when our renewal got the token
    renewed_at: datetime | None = None  # When our renewal got the token that is in the file now
    attempts: int = 0  # Renewals begun since the last success; each is counted before its call, for its back-off
    attempted_at: datetime | None = None  # When the last one began
    retry_at: datetime | None = None
    failure: str | None = None  # Why the last attempt did not reach an answer
    refused: str | None = None  # Why AWS refused to renew this token; final for it
    refused_code: str | None = None
    alive: bool | None = None  # After a refusal: what the ListAccounts probe said. None: the probe got no answer
    doubted: bool = False  # The clock was set back under this token: it ends earlier than the clock will say
    skew: timedelta = timedelta()  # Local clock minus the server's, at the last answer


@dataclass(frozen=True, slots=True)
class Lineage:
    """One sign-in of a person, through all its renewals. A new sign-in starts a new one."""

    client: str = ""
    began_at: datetime | None = None  # When this sign-in was first seen
    life: timedelta | None = None  # The token life that this portal usually gives, for tokens that somebody else wrote
    signed_out_at: datetime | None = None
    ended_at: datetime | None = None
    noticed: tuple[Cause, ...] = ()  # The causes for which the one notice was given
    tabs: int = 0  # Browser tabs opened without a human act
    tab_failed: bool = False  # The one tab was denied or ignored
    tab_at: datetime | None = None
    noticed_at: datetime | None = None  # When the first notice was given
    asked: bool = False  # A program that cannot open a browser waits for this sign-in
    at_end: bool = False  # The person chose *When it ends*: the tab is wanted then
    not_before: datetime | None = None  # The person chose *Not today*: nothing is asked until then
    used_at: datetime | None = None  # When somebody last asked for it: `ensure`, `exec`, the wrapper
    denied_at: datetime | None = None  # When a tab was last denied or ignored; begins the cooldown
    denials: int = 0
    denial: str | None = None  # Why, as programs that ask again are told
    unheard: str | None = None  # Why no channel could show the notice
    who: str | None = None  # Who signed in, where that could be found out; kept over sign-ins, to be compared
    inside: datetime | None = None  # Since when the sign-in ran that was alive when this one began
    fresh: bool = False  # That one was ended first, for the full length
    late: bool = False  # It began before it was seen
    clock_set: bool = False  # The clock was set back under it: its length cannot be told
    alive_at: datetime | None = None  # When it was last known to live
    offered_at: datetime | None = None  # When a fresh sign-in was last offered
    came_at: datetime | None = None  # When somebody was first seen at the screen today
    check_at: datetime | None = None  # When one renewal more tells most about the end
    tail_at: datetime | None = None  # Its end, told by a token that was given a shorter life than usual


@dataclass(frozen=True, slots=True)
class Life:
    """A sign-in that is over, as it was seen; the fields are those of `Lineage`."""

    began_at: datetime
    alive_at: datetime
    dead_at: datetime | None  # When its end was found. None: it was ended before its time, or refused otherwise
    inside: datetime | None = None
    fresh: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """Both memories of a sign-in, and its earlier lives, oldest first; one file."""

    token: TokenMemory = field(default_factory=TokenMemory)
    lineage: Lineage = field(default_factory=Lineage)
    lives: tuple[Life, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user's config says of one sign-in."""

    mode: Mode = Mode.NOTIFY
    refresh_before: timedelta = 30 * MINUTE
    warn_before: timedelta = 15 * MINUTE
    renew: Renew = Renew.ALWAYS
    length: timedelta | None = None  # How long a sign-in lasts on this portal, where the user knows it
    when_locked: bool = True  # No tab and no notice at a locked screen
    when_idle: bool = True  # The same at an idle one


@dataclass(frozen=True, slots=True)
class Day:
    """The person's day, from five in the morning to the next."""

    began_at: datetime
    next_at: datetime  # when something of this changes
    night_until: datetime  # until when a sign-in should last that is begun in the evening
    fresh_at: datetime | None = None  # the day's moments of `schedule`
    evening_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else is so at this moment and bears on a decision."""

    presence: Presence | None = None  # None: not asked yet. What depends on it waits
    held: bool = False  # A program runs on this sign-in, under `exec` or the wrapper
    signing_in: bool = False  # A person is being asked already: a flow is alive
    served: bool = False  # An MCP server hangs on it, so it is in use
    paused_until: datetime | None = None
    quiet_until: datetime | None = None  # When the quiet hours of this moment end
    day: Day | None = None
    lives: tuple[Life, ...] = ()  # What the other sign-ins of the portal saw


@dataclass(frozen=True, slots=True)
class Renewal:
    """Act: renew the token now."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Act: show one notice."""

    cause: Cause
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Tab:
    """Act: start the login in the browser."""

    cause: Cause


Action = Renewal | Notice | Tab


@dataclass(frozen=True, slots=True)
class Plan:
    """The planner's answer for one sign-in at one moment."""

    state: State
    memory: Memory  # as it must be recorded before `actions` are done
    actions: tuple[Action, ...] = ()
    cause: Cause | None = None  # why a person is needed, for as long as it is so
    unused: bool = False  # nobody was at it for the last hour, so nobody needs to be told of its end
    waits: bool = False  # something is due as soon as somebody is present
    wake_at: datetime | None = None  # when to ask again even if nothing happens; later than now, or None
    problem: Problem | None = None
    renews_silently: bool = False
    renew_at: datetime | None = None
    good_until: datetime | None = None
    good_until_certain: bool = True
    ends_from: datetime | None = None  # the first moment at which the sign-in may end
    ends_at: datetime | None = None  # the last one
    ends_at_source: str | None = None
    fresh_until: datetime | None = None  # how long a fresh sign-in would last for sure; None: it would not help
