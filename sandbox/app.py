"""The outside world in one process: Gumroad, Hetzner, Amazon, storage, mailbox, clock, and the internet that servers live in."""

from __future__ import annotations

import dataclasses
import pathlib
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

import flask

from sandbox import clock
from sandbox.aws.office import Aws
from sandbox.gumroad import Gumroad
from sandbox.hetzner import blueprint as hetzner
from sandbox.hetzner.control import KINDS_OF_MACHINE, refuse_strangers
from sandbox.hosts import Hosts, HostsUnavailable, choose
from sandbox.internet.office import Internet
from sandbox.mail import Office
from sandbox.storage import ObjectStorage

SERVERS = (
    25  # more than a new account at the vendor may have, so that a demo does not meet that wall by chance
)
# Other names could be a stranger's that lead here, and with them the stranger's pages could read the mailbox.
NAMES = ["127.0.0.1", "localhost"]
MOST_BYTES = 1024 * 1024
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",  # a stricter one would hide from our forms where they come from
    "X-Content-Type-Options": "nosniff",
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Where things are; secrets come from the environment and never from the command line."""

    home: pathlib.Path
    control_url: str
    hosts: str = "auto"
    smtp_port: int = 0
    socks_port: int = 0
    storage_port: int = 0
    ping_url: str = ""
    hetzner_token: str = ""
    gumroad_token: str = ""
    storage_access_key: str = ""
    storage_secret_key: str = ""
    seller_id: str = "mailat-seller=="
    product_id: str = "mailat-product=="
    database_url: str = ""
    aged_tables: tuple[str, ...] = clock.AGED
    sale_delay: float = 1.0
    event_delay: float = 0.5


class World:
    """Everything that was started, so that it can be ended."""

    def __init__(self, config: Config, on_log: Callable[[str], None] = print) -> None:
        self.config = config
        self.storage = ObjectStorage(
            config.home, config.storage_access_key, config.storage_secret_key, config.storage_port
        )
        self.hosts = choose(
            config.hosts,
            config.home,
            urlsplit(config.control_url).port or 80,
            on_log=on_log,
            more_ports=(self.storage.server.server_port,),
        )
        self.office = Office(config.home, config.smtp_port)
        self.internet = Internet(config.home, self.hosts, self.office.store, config.socks_port)
        self.aws = Aws(config.home, lambda: self.internet.names)
        self.gumroad = Gumroad(
            config.home,
            token=config.gumroad_token,
            ping_url=config.ping_url,
            control_url=config.control_url,
            seller_id=config.seller_id,
            product_id=config.product_id,
            sale_delay=config.sale_delay,
            event_delay=config.event_delay,
        )
        threading.Thread(target=prepare, args=[self.hosts, on_log], daemon=True).start()
        self.app = self._app()

    def _app(self) -> flask.Flask:
        app = flask.Flask("sandbox", root_path=str(pathlib.Path(__file__).parent))
        app.config.update(TRUSTED_HOSTS=NAMES, MAX_CONTENT_LENGTH=MOST_BYTES)
        app.before_request(refuse_strangers)
        app.after_request(with_headers)
        app.register_blueprint(self.gumroad.blueprint, url_prefix="/gumroad")
        app.register_blueprint(self.office.blueprint, url_prefix="/mail")
        app.register_blueprint(self.internet.blueprint, url_prefix="/internet")
        app.register_blueprint(self.aws.blueprint, url_prefix="/aws")
        app.register_blueprint(self.storage.blueprint, url_prefix="/storage")
        app.register_blueprint(clock.blueprint(self.config.database_url, self._age, self.config.aged_tables))
        app.register_blueprint(
            hetzner(self.config.home, self.config.hetzner_token, self.hosts, SERVERS), url_prefix="/hetzner"
        )
        app.add_url_rule("/", "index", self._index)
        return app

    def _age(self, seconds: float) -> list[str]:
        """What remembers moments of its own and not in the product's tables."""
        return self.gumroad.age(seconds) + self.storage.age(seconds)

    def _index(self) -> str:
        return flask.render_template(
            "index.html", hosts=self.hosts, kinds=KINDS_OF_MACHINE, control=self.config.control_url
        )

    def where(self, url: str) -> dict[str, str]:
        """What is where, for whoever started this."""
        return {
            "url": url,
            "hetzner_api": f"{url}/hetzner/v1",
            "gumroad_api": f"{url}/gumroad/v2",
            "store": f"{url}/gumroad/l/mailat",
            "subscriptions": f"{url}/gumroad/subscriptions",
            "mail": f"{url}/mail/",
            "smtp": self.office.smtp,
            "hosts": self.hosts.kind,
            "why": self.hosts.why,
            "agent_host": self.hosts.address_of_control,
            **self.aws.where(url),
            **self.storage.where(url, self.hosts.address_of_control),
            **self.internet.where(url),
        }

    def close(self) -> None:
        self.gumroad.close()
        self.office.close()
        self.aws.close()
        self.storage.close()
        self.internet.close()
        self.hosts.close()


def with_headers(answer: flask.Response) -> flask.Response:
    """Nothing of another place is loaded, and a page with a stricter rule of its own keeps it."""
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    return answer


def prepare(hosts: Hosts, on_log: Callable[[str], None]) -> None:
    """The long work is done before the first server is ordered, if there is time."""
    try:
        hosts.prepare()
    except HostsUnavailable as problem:
        on_log(f"The machines' image could not be made: {problem}")
