"""Starts the stand-in alone: `python -m sandbox.hetzner --home DIR --port 0 --token T --hosts none`."""

from __future__ import annotations

import argparse
import json
import logging
import pathlib
import sys

import flask
from werkzeug.serving import make_server

from sandbox import hosts
from sandbox.ending import Ending
from sandbox.hetzner import SERVERS_OF_A_NEW_ACCOUNT, blueprint


def main() -> None:
    """Prints one JSON line with the address when it listens, and serves until it is told to end."""
    wishes = _arguments()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    machines = hosts.choose(wishes.hosts, wishes.home, wishes.control_port, on_log=_say)
    app = flask.Flask("sandbox.hetzner")
    app.register_blueprint(
        blueprint(wishes.home, wishes.token, machines, wishes.server_limit), url_prefix="/hetzner"
    )
    server = make_server("127.0.0.1", wishes.port, app, threaded=True)
    ending = Ending()
    try:
        print(
            json.dumps({"url": f"http://127.0.0.1:{server.port}/hetzner/v1", "hosts": machines.kind}),
            flush=True,
        )
        ending.serve(server)
    finally:
        machines.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.hetzner", description=__doc__)
    parser.add_argument("--home", type=pathlib.Path, required=True, help="directory that keeps its state")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token", required=True, help="what clients must send")
    parser.add_argument("--hosts", choices=hosts.KINDS, default="none", help="what a server is")
    parser.add_argument("--server-limit", type=int, default=SERVERS_OF_A_NEW_ACCOUNT)
    parser.add_argument("--control-port", type=int, default=8000, help="where agents find the control plane")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
