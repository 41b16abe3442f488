"""Starts the outside world: `python -m sandbox --home DIR --port P --smtp-port P --hosts KIND --control-url URL`.

From the environment: GUMROAD_PING_URL, HETZNER_TOKEN, GUMROAD_TOKEN, GUMROAD_SELLER_ID, GUMROAD_PRODUCT_ID, DATABASE_URL,
STORAGE_ACCESS_KEY, STORAGE_SECRET_KEY.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import pathlib
import sys

from werkzeug.serving import make_server

from sandbox.app import Config, World
from sandbox.ending import Ending
from sandbox.hosts import KINDS


def main() -> None:
    """Prints one JSON line when everything listens, and serves until it is told to end."""
    wishes = _arguments()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    ending = Ending()
    world = World(_config(wishes), on_log=_say)
    try:
        server = make_server("127.0.0.1", wishes.port, world.app, threaded=True)
        print(json.dumps(world.where(f"http://127.0.0.1:{server.port}")), flush=True)
        ending.serve(server)
    finally:
        world.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="The outside world on one machine."
    )
    parser.add_argument("--home", type=pathlib.Path, required=True, help="directory that keeps its state")
    parser.add_argument("--port", type=int, default=0, help="HTTP; 0 takes a free one")
    parser.add_argument("--smtp-port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--socks-port", type=int, default=0, help="a browser's way to servers; 0 takes a free one"
    )
    parser.add_argument("--storage-port", type=int, default=0, help="S3; 0 takes a free one")
    parser.add_argument("--hosts", choices=KINDS, default="auto", help="what a server is")
    parser.add_argument(
        "--ping-delay",
        type=float,
        help="seconds until a ping is sent; without it like the vendor's, but shorter",
    )
    parser.add_argument("--control-url", required=True, help="where Mailat is")
    return parser.parse_args()


def _config(wishes: argparse.Namespace) -> Config:
    env = os.environ
    hurry = (
        {}
        if wishes.ping_delay is None
        else {"sale_delay": wishes.ping_delay, "event_delay": wishes.ping_delay}
    )
    return Config(
        **hurry,
        home=wishes.home,
        control_url=wishes.control_url.rstrip("/"),
        hosts=wishes.hosts,
        smtp_port=wishes.smtp_port,
        socks_port=wishes.socks_port,
        storage_port=wishes.storage_port,
        ping_url=env.get("GUMROAD_PING_URL", ""),
        hetzner_token=env.get("HETZNER_TOKEN", ""),
        gumroad_token=env.get("GUMROAD_TOKEN", ""),
        storage_access_key=env.get("STORAGE_ACCESS_KEY", ""),
        storage_secret_key=env.get("STORAGE_SECRET_KEY", ""),
        seller_id=env.get("GUMROAD_SELLER_ID", Config.seller_id),
        product_id=env.get("GUMROAD_PRODUCT_ID", Config.product_id),
        database_url=env.get("DATABASE_URL", ""),
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
