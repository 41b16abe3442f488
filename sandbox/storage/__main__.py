"""Starts the storage alone: `python -m sandbox.storage --home DIR --port 0`.

From the environment: STORAGE_ACCESS_KEY and STORAGE_SECRET_KEY.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import pathlib

import flask
from werkzeug.serving import make_server

from sandbox.ending import Ending
from sandbox.hetzner.control import refuse_strangers
from sandbox.storage import ObjectStorage


def main() -> None:
    """Prints one JSON line with the addresses when it listens, and serves until it is told to end."""
    wishes = _arguments()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    env = os.environ
    office = ObjectStorage(wishes.home, env["STORAGE_ACCESS_KEY"], env["STORAGE_SECRET_KEY"], wishes.port)
    root = pathlib.Path(__file__).parent.parent
    app = flask.Flask("sandbox", root_path=str(root))
    app.before_request(refuse_strangers)
    app.register_blueprint(office.blueprint, url_prefix="/storage")
    ending = Ending()
    try:
        server = make_server("127.0.0.1", wishes.page_port, app, threaded=True)
        print(json.dumps(office.where(f"http://127.0.0.1:{server.port}")), flush=True)
        ending.serve(server)
    finally:
        office.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.storage", description="A storage that speaks S3."
    )
    parser.add_argument("--home", type=pathlib.Path, required=True, help="directory that keeps its objects")
    parser.add_argument("--port", type=int, default=0, help="S3; 0 takes a free one")
    parser.add_argument("--page-port", type=int, default=0, help="the page and the doors; 0 takes a free one")
    return parser.parse_args()


if __name__ == "__main__":
    main()
