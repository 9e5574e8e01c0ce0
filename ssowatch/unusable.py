"""What keeps a command from beginning (rank 1). The command line prints it and ends with its code."""

from __future__ import annotations


class UnusableError(Exception):
    """A command cannot begin. `code` is its exit code; the message is for a person, of one or more lines."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
