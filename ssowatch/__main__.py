"""Where every start begins. `status` and `mcp wrap` take the short way, on the standard library alone; so does `run`,
which does without argparse for as long as it lives.
"""

from __future__ import annotations

import os
import sys

from ssowatch import paths


def main() -> int:
    """Run the command line; returns the exit code."""
    try:
        for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show "…" shows "?"
            if stream and stream.encoding.lower() != "utf-8":
                stream.reconfigure(errors="replace")  # type: ignore[union-attr]
        if sys.argv[1:3] == ["mcp", "wrap"]:
            from ssowatch.commands import mcp_wrap

            code = mcp_wrap.main(sys.argv[3:])
        elif not paths.has_home():
            print(f"ssowatch: {paths.NO_HOME}. Mend: set it to your home directory", file=sys.stderr)
            return os.EX_CONFIG  # else files of ours would be made wherever this was started
        elif sys.argv[1:2] == ["status"]:
            from ssowatch.commands import status

            code = status.main(sys.argv[2:])
        elif sys.argv[1:] == ["run"]:
            from ssowatch.commands import run

            code = run.main()
        else:
            from ssowatch import cli

            code = cli.main(sys.argv[1:])
        if sys.stdout:
            sys.stdout.flush()
    except OSError as error:  # a closed or full output; what a command can mend it handles itself
        if sys.stderr:
            print(f"ssowatch: {error.strerror or error}", file=sys.stderr)
        os._exit(1)  # not by way of another flush of what cannot be written
    return code


if __name__ == "__main__":
    sys.exit(main())
