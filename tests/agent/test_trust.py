"""The agent believes in certificates, in no clock and in no connection that never ends."""

import datetime
import ipaddress
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from agent.mailat_agent import services, transport
from agent.mailat_agent.config import load
from agent.mailat_agent.loop import Agent
from tests.agent.control_plane import ControlPlane
from tests.agent.host import Host

DAY = datetime.timedelta(days=1)


def certificate(place: Path, address: str = "127.0.0.1", ends: datetime.timedelta = DAY) -> Path:
    """A certificate for this address that is its own authority, and its key, in one file."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")]),
    )
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - 9 * DAY).not_valid_after(now + ends)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = place / "tls.pem"
    path.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return path


def encrypt(control: ControlPlane, pem: Path) -> None:
    """Speak TLS from now on."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    control.door.socket = context.wrap_socket(control.door.socket, server_side=True)
    control.scheme = "https"


def test_a_certificate_of_a_known_authority_is_accepted(
    host: Host, control: ControlPlane, tmp_path: Path
) -> None:
    pem = certificate(tmp_path)
    encrypt(control, pem)
    host.be_born()
    host.environment = {"SSL_CERT_FILE": str(pem)}

    assert host.once() == 0


def test_a_certificate_of_nobody_is_not(host: Host, control: ControlPlane, tmp_path: Path) -> None:
    encrypt(control, certificate(tmp_path))
    host.be_born()

    assert host.once() == 1

    assert "the certificate was not accepted: self-signed certificate" in host.said()
    assert control.requests == []


@pytest.mark.parametrize(
    ("address", "ends", "why"),
    [("127.0.0.2", DAY, "IP address mismatch"), ("127.0.0.1", -DAY, "certificate has expired")],
)
def test_nor_one_for_another_host_or_another_time(
    host: Host, control: ControlPlane, tmp_path: Path, address: str, ends: datetime.timedelta, why: str
) -> None:
    pem = certificate(tmp_path, address, ends)
    encrypt(control, pem)
    host.be_born()
    host.environment = {"SSL_CERT_FILE": str(pem)}

    assert host.once() == 1

    assert why in host.said()
    assert control.requests == []


def test_an_agent_told_https_never_speaks_in_clear(host: Host, control: ControlPlane) -> None:
    host.be_born(control=control.url.replace("http:", "https:"))

    assert host.once() == 1

    assert control.requests == []


def test_an_answer_that_drips_is_given_up(
    host: Host, control: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "WHOLE_SECONDS", 0.2)

    def drip(door: object) -> None:
        door.send_response(200)  # type: ignore[attr-defined]
        door.end_headers()  # type: ignore[attr-defined]
        try:
            while True:
                door.wfile.write(b" ")  # type: ignore[attr-defined]
                time.sleep(0.01)
        except OSError:
            door.close_connection = True  # type: ignore[attr-defined]

    control.fail("report", drip)

    with pytest.raises(transport.Unheard, match="no answer in time"):
        transport.Transport(control.url).post("/agent/v1/report", {"applied": 0})


@pytest.mark.parametrize("clock", [0.0, 1e9, 4e9])
def test_a_clock_that_is_wrong_stops_nothing(
    host: Host, control: ControlPlane, monkeypatch: pytest.MonkeyPatch, clock: float
) -> None:
    host.state.mkdir()
    control.want(2)
    agent = Agent(load(host.config), host.state)
    monkeypatch.setattr(time, "time", lambda: clock)

    waits = [agent.turn(), agent.turn()]

    assert waits == [1, 1]
    assert [(report["at"], report["applied"]) for report in control.reports] == [(clock, 0), (clock, 2)]


def test_a_mistake_of_its_own_does_not_end_it(
    host: Host, control: ControlPlane, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    host.state.mkdir()
    agent = Agent(load(host.config), host.state)
    monkeypatch.setattr(services, "states", lambda names: [][5])

    assert 0 < agent.turn() <= 1

    assert "unexpected IndexError in test_trust.py" in capfd.readouterr().err
