"""The last word of `setup`: protected or not, and what is left to do (rank 1, pure)."""

from __future__ import annotations

import shlex
from typing import Any

from ssowatch import kinds
from ssowatch.plain import plain
from ssowatch.short_names import typed


def verdict(document: dict[str, Any]) -> tuple[bool, str]:
    """Whether a watcher runs, and the sentences, from the published state."""
    if not document["watcher"]["running"]:
        return False, (
            "NOT PROTECTED: no watcher runs, so nothing renews your sign-ins. The steps above say what helps. "
            "For as long as a terminal is open, this does:\n  ssowatch run"
        )
    sign_ins = document["sign_ins"]
    safe = [one for one in sign_ins if one["state"] in {"valid", "expiring"} and one["renews_silently"]]
    ends = [one for one in sign_ins if one["state"] in {"valid", "expiring"} and not one["renews_silently"]]
    others = [one for one in ends if kinds.of(one["name"]).not_renewed]
    ends = [one for one in ends if one not in others]
    asks = [one for one in sign_ins if one["state"] in {"signed_out", "login_required"}]
    later = [one for one in sign_ins if one["state"] == "unreachable"]
    wrong = [one for one in sign_ins if one["state"] == "misconfigured"]
    said = []
    if safe:
        said.append(f"Protected: {_names(safe)}.")
    if later:
        said.append(f"AWS does not answer for {_names(later)}; it is tried again by itself.")
    if others:
        said.append(f"Works, and is renewed by the programs that use it: {_names(others)}.")
    if ends:
        said.append(f"Works, but cannot be renewed: {_names(ends)}. The steps above say what helps.")
    if wrong:
        said.append(f"Cannot work before the AWS config is mended: {_names(wrong)}.")
    if asks:
        commands = "\n".join(f"  ssowatch login {shlex.quote(plain(_typed(one)))}" for one in asks)
        said.append(f"Protected from the first sign-in on:\n{commands}")
    if not sign_ins:
        said.append("Ready: ssowatch watches, and looks after your sign-ins as soon as the AWS config names one.")
    return True, "\n".join(said)


def _names(sign_ins: list[dict[str, Any]]) -> str:
    return ", ".join(plain(one["name"]) for one in sign_ins)


def _typed(one: dict[str, Any]) -> str:
    return typed(one["kind"], one["name"], one["profiles"])
