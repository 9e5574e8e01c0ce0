"""The simulator as a process of its own, so that it can run under a moved wall clock.

Rules of this file:
1. Once it listens it writes `{"url": …, "control": …}` to the port file, as a whole.
2. It ends when its standard input ends, so that it never outlives the test that started it.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from pathlib import Path

from simulator.control import ControlServer
from simulator.server import Simulator


def main() -> None:
    """Run until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m simulator")
    parser.add_argument("--port-file", type=Path, required=True, help="where to write the two URLs, as JSON")
    parser.add_argument("--control", type=int, default=0, metavar="PORT", help="port of the control channel; 0: any")
    parser.add_argument("--settings", type=json.loads, default={}, help="JSON object of settings, spans in seconds")
    arguments = parser.parse_args()
    with Simulator(**arguments.settings) as simulator, ControlServer(simulator, arguments.control) as control:
        threading.Thread(target=control.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        urls = {"url": simulator.url, "control": f"http://127.0.0.1:{control.server_address[1]}"}
        unfinished = arguments.port_file.with_suffix(".tmp")
        unfinished.write_text(json.dumps(urls))
        unfinished.replace(arguments.port_file)
        sys.stdin.read()
        control.shutdown()


if __name__ == "__main__":
    main()
