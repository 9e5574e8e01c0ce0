"""Is AWS reached, from the shell and from the service, and does its clock agree with ours (composition)?

Rules of this file:
1. One CreateToken without any secret, which AWS refuses: an answer is an answer (`IdentityCenter.knock`). It runs in a
   child, once in the shell's environment and once in what the service is given, both at the same time.
2. No value of a variable is said: proxies hold passwords.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from ssowatch import aws_rewrite, paths, problems
from ssowatch.doctor.check import Finding, good, named
from ssowatch.doctor.scene import Scene
from ssowatch.model import MINUTE

WAY = (
    *("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"),
    *("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SSO", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),
)
"""The variables that decide whether AWS is reached, and which AWS config is read."""


class Reach:
    """AWS answers."""

    name = "network"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """Where it does not, and to whom."""
        shell, as_service = scene.knocks
        words = {one.name: named(one) for one in scene.sign_ins}
        for here, there in zip(shell, as_service, strict=True):
            who = words[here.name]
            where = f"AWS is not reached for {who}"
            if there.why and not here.why:
                yield Finding(
                    f"{where} from the service, but from this shell: {there.why}. Nothing is renewed, while all you try works",
                    in_config(_differing(scene)) or _mend(there.why),
                )
            elif here.why and not there.why:
                yield good(f"AWS answers the service for {who}, but not this shell: {here.why}")
            elif there.why:
                yield Finding(f"{where}: {there.why}. Nothing can be renewed", _mend(there.why))
            else:
                yield good(f"AWS answers for {who}")
        if not shell:
            yield good("there is no sign-in to try")


def _mend(why: str) -> str:
    if "TLS" in why or "CA file" in why:
        return f"name the CA file of your company: AWS_CA_BUNDLE below `environment:` in {_config()}"
    if "proxy" in why:
        return f"correct HTTPS_PROXY in the shell, or below `environment:` in {_config()}"
    return (
        f"check network, VPN and sso_region; where a proxy is needed, HTTPS_PROXY below `environment:` in {_config()}"
    )


def in_config(names: list[str]) -> str | None:
    """Where the service's variables belong."""
    return f"write {', '.join(names)} as in this shell below `environment:` in {_config()}" if names else None


def _config() -> str:
    return aws_rewrite.shown(paths.config_file())


def _differing(scene: Scene) -> list[str]:
    """The variables of the way to AWS that the shell has and the service has not, or has otherwise."""
    if scene.given is None:
        return []
    theirs = scene.as_service
    return [name for name in WAY if scene.environ.get(name) and scene.environ[name] != theirs.get(name)]


class Environment:
    """The service is given what the shell has."""

    name = "environment"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """The variables that the service lacks."""
        if scene.given is None:
            yield good("a watcher gets its environment from where it is started")
        elif names := _differing(scene):
            yield Finding(
                f"this shell has {', '.join(names)}, the service has not, or has something else: what works here may fail there",
                in_config(names),
            )
        else:
            yield good("the service has what this shell has: proxies, CA files, AWS files")


class Clock:
    """The clock agrees with AWS's."""

    name = "clock"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """By the Date of an answer; without one, by that of the last renewal."""
        measured = [one.skew for one in (*scene.knocks[0], *scene.knocks[1]) if not one.why and one.skew is not None]
        known = [row.plan.memory.token.skew for row in scene.sight.rows]
        skew = max([*(measured or known), timedelta()], key=abs)
        if abs(skew) <= MINUTE:
            yield good("the clock agrees with AWS's" if measured else "no answer of AWS shows a wrong clock")
            return
        found = problems.clock_skew(skew)
        message = f"{found.message}: every program here takes a token for good, or for ended, by that much too long"
        yield Finding(message, "sudo timedatectl set-ntp true")
