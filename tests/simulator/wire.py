"""The old name of `center.wire`, the HTTP form."""

from __future__ import annotations

from simulator.center.wire import Answer, Request, bad, good, read_request

__all__ = ["Answer", "Request", "bad", "good", "read_request"]
