"""From nothing to protected, step by step: each looks at one thing, and offers its mend (composition).

The order is that of the tuple: what a later step needs, an earlier one has mended.
"""

from __future__ import annotations

from ssowatch.setup.aws_files import AwsFiles
from ssowatch.setup.foreign_stores import ForeignStores
from ssowatch.setup.kept_running import KeptRunning
from ssowatch.setup.mcp_servers import McpServers
from ssowatch.setup.notices import Notices
from ssowatch.setup.own_files import OwnFiles
from ssowatch.setup.renewable import Renewable
from ssowatch.setup.shell_environment import ShellEnvironment
from ssowatch.setup.signed_in import SignedIn
from ssowatch.setup.step import Finding, Mend, NotMendedError, Step

__all__ = ["STEPS", "Finding", "Mend", "NotMendedError", "Step"]

STEPS: tuple[Step, ...] = (
    OwnFiles(),
    AwsFiles(),
    Renewable(),
    ForeignStores(),
    ShellEnvironment(),
    KeptRunning(),
    Notices(),
    McpServers(),
    SignedIn(),
)
