"""The web server answers for names that have a certificate, each with its own, and for nothing else."""

import re
from pathlib import Path

import pytest

from agent.mailat_agent.mail import nginx, parts, state
from agent.mailat_agent.mail.part import Host
from agent.mailat_agent.mail.state import Mail
from tests.agent.mail.test_discovery import certify
from tests.agent.orders import mail

SERVICES = ("mail", "webmail", "autoconfig", "autodiscover", "mta-sts")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host("post.servers.test", ("192.0.2.7",), tmp_path)


@pytest.fixture
def wanted() -> Mail:
    return state.read(mail())


def servers(text: str) -> dict[str, str]:
    """The text of each server that speaks TLS, by its name."""
    blocks = re.split(r"^server \{$", text, flags=re.MULTILINE)
    return {
        match[1]: block
        for block in blocks
        if "listen 443" in block and (match := re.search(r"server_name (\S+);", block))
    }


def test_before_any_certificate_there_is_the_hosts_own_name_alone(wanted: Mail, host: Host) -> None:
    assert set(servers(nginx.site(wanted, host))) == {"post.servers.test"}


def test_every_name_of_a_domains_certificate_has_a_server_with_that_certificate(
    wanted: Mail, host: Host
) -> None:
    certify(host, "firm.test", *(f"{service}.firm.test" for service in SERVICES))
    found = servers(nginx.site(wanted, host))

    assert set(found) == {"post.servers.test", *(f"{service}.firm.test" for service in SERVICES)}
    chains = {name: re.search(r"ssl_certificate (\S+);", text) for name, text in found.items()}
    for name, chain in chains.items():
        owner = "firm.test" if name.endswith("firm.test") else name
        assert chain
        assert chain[1] == f"{host.home}/tls/{owner}/fullchain.pem"


def test_a_name_that_is_not_in_the_certificate_has_no_server(wanted: Mail, host: Host) -> None:
    certify(host, "firm.test", "webmail.firm.test", "www.firm.test")

    assert set(servers(nginx.site(wanted, host))) == {"post.servers.test", "webmail.firm.test"}


def test_a_domain_that_is_gone_is_served_no_more(host: Host) -> None:
    certify(host, "firm.test", "webmail.firm.test")

    assert set(servers(nginx.site(state.read(mail(domains=[], mailboxes=[])), host))) == {"post.servers.test"}


def test_a_server_that_is_called_as_a_customers_name_has_one_server_of_it(tmp_path: Path) -> None:
    host = Host("mail.firm.test", ("192.0.2.7",), tmp_path)
    certify(host, "firm.test", "mail.firm.test", "webmail.firm.test")
    text = nginx.site(state.read(mail()), host)

    assert text.count("server_name mail.firm.test;") == 2  # by HTTP and by HTTPS
    assert "tls/mail.firm.test/fullchain.pem" in servers(text)["mail.firm.test"]


def test_rendered_text_names_what_is_in_force_and_no_generation(wanted: Mail, host: Host) -> None:
    files = nginx.files(wanted, host)
    text = "".join(file.text for file in files if file.path.startswith("nginx/"))
    included = set(re.findall(r"/etc/mailat/mail/(\S+?);", text))

    assert included
    assert included <= {file.path for file in files}
    assert not [file.path for file in files if "generations/" in file.text]


def test_each_location_that_adds_a_header_gets_all_of_them(wanted: Mail, host: Host) -> None:
    """nginx forgets the headers of a server in a location that adds its own."""
    certify(host, "firm.test", *(f"{service}.firm.test" for service in SERVICES))
    texts = [file.text for file in nginx.files(wanted, host) if file.path.startswith("nginx/")]
    locations = [block for text in texts for block in re.findall(r"location [^{]*\{[^}]*\}", text)]

    assert locations
    assert not [block for block in locations if "add_header" in block]


def test_it_is_one_of_the_parts() -> None:
    assert nginx.PART in parts.PARTS
