"""Where every start begins. `status` takes the short way: on the standard library alone, before any other import."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    if sys.argv[1:2] == ["status"]:
        from ssowatch.commands import status

        return status.main(sys.argv[2:])
    from ssowatch import cli

    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
