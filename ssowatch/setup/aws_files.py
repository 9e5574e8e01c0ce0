"""What the AWS config holds (composition; a step of `setup`)."""

from __future__ import annotations

from collections.abc import Iterator

from ssowatch.plain import plain
from ssowatch.setup.step import Finding
from ssowatch.world import World


class AwsFiles:
    """`~/.aws/config`."""

    title = "AWS config"

    def look(self, columns: int) -> Iterator[Finding]:  # noqa: ARG002 - of the Protocol
        """Its sign-ins, and what is wrong with it."""
        world = World(recording=False)
        aws = world.aws_config()
        if aws.problem:
            yield Finding(
                plain(aws.problem.message, 600),
                good=False,
                fix=f"{_sentence(plain(aws.problem.fix or '', 600))}\nssowatch sees it by itself then.",
            )
        for one in aws.sign_ins:
            if one.problem:
                yield Finding(
                    f"{plain(one.name)}: {plain(one.problem.message, 600)}",
                    good=False,
                    fix=f"{_sentence(plain(one.problem.fix or '', 600))}\nssowatch sees it by itself then.",
                )
        if well := [one for one in aws.sign_ins if not one.problem]:
            profiles = sum(len(one.profiles) for one in well)
            yield Finding(
                f"{_count(len(well), 'sign-in')} with {_count(profiles, 'profile')}: "
                f"{', '.join(plain(one.name, 80) for one in well)}"
            )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
