"""Certificates: the sandbox's own authority lasts, Pebble visits the names that it certifies, and hosts believe both."""

from __future__ import annotations

import pathlib
import ssl
import subprocess
import sys

import pytest
from cryptography import x509

from sandbox.hosts.debian import disk
from sandbox.internet.ca import Authority
from sandbox.internet.trust import Trust, subject_hash

CLIENT = pathlib.Path(__file__).with_name("acme_client.py")


def test_the_authority_is_the_same_after_a_restart(tmp_path):
    assert Authority(tmp_path).pem == Authority(tmp_path).pem
    assert (tmp_path / "internet/ca/ca.key").stat().st_mode & 0o077 == 0


def test_a_certificate_holds_before_a_strict_judge(tmp_path):
    leaf = Authority(tmp_path).leaf("one", ["a.test", "b.test"], ["10.77.9.2"])
    judge = [
        "openssl",
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-CAfile",
        str(Trust(tmp_path).bundle),
    ]
    for name in (["-verify_hostname", "b.test"], ["-verify_ip", "10.77.9.2"]):
        told = subprocess.run([*judge, *name, str(leaf.certificate)], capture_output=True, text=True)
        assert told.returncode == 0, told.stdout + told.stderr
    told = subprocess.run([*judge, "-verify_hostname", "c.test", str(leaf.certificate)], capture_output=True)
    assert told.returncode != 0


def test_roots_are_added_once_and_stay(tmp_path):
    trust, other = Trust(tmp_path), Authority(tmp_path / "other").pem
    trust.add(other)
    trust.add(other)
    assert Trust(tmp_path).certificates() == [Authority(tmp_path).pem, other]
    ssl.create_default_context(cafile=str(trust.bundle))


def test_openssl_gives_the_same_name_to_a_root(tmp_path):
    pem = Authority(tmp_path).pem
    told = subprocess.run(["openssl", "x509", "-hash", "-noout"], input=pem, capture_output=True)
    assert told.stdout.decode().strip() == subject_hash(pem)


def lay_out(home: pathlib.Path, image: pathlib.Path) -> pathlib.Path:
    folder = home / "debian" / "machine-1"
    disk.lay_out(folder, "10.77.9.1", "post", "10.77.9.10", "#cloud-config\n", image)
    return folder / "upper"


@pytest.fixture
def image(tmp_path: pathlib.Path) -> pathlib.Path:
    bundle = tmp_path / "image" / disk.BUNDLE
    bundle.parent.mkdir(parents=True)
    bundle.write_text("those of Debian\n")
    return tmp_path / "image"


def test_a_host_trusts_its_images_roots_and_ours_and_later_ones(tmp_path, image):
    upper = lay_out(tmp_path, image)
    own, other = Authority(tmp_path).pem.decode(), Authority(tmp_path / "other").pem.decode()
    assert (upper / disk.BUNDLE).read_text() == "those of Debian\n" + own
    (upper / "etc/hostname").write_text("renamed\n")
    Trust(tmp_path).add(other.encode())
    lay_out(tmp_path, image)
    assert (upper / disk.BUNDLE).read_text() == "those of Debian\n" + own + other
    assert (upper / "etc/hostname").read_text() == "renamed\n"
    link = upper / f"etc/ssl/certs/{subject_hash(own.encode())}.0"
    assert (upper / str(link.readlink()).lstrip("/")).read_text() == own


def test_a_host_cannot_make_us_write_beyond_its_disk(tmp_path, image):
    upper = lay_out(tmp_path, image)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (upper / disk.BUNDLE).unlink()
    (upper / disk.BUNDLE).symlink_to(victim)
    lay_out(tmp_path, image)
    assert victim.read_text() == "mine"
    for part in sorted((upper / "etc/ssl/certs").iterdir()):
        part.unlink()
    (upper / "etc/ssl/certs").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (upper / "etc/ssl/certs").symlink_to(tmp_path / "elsewhere")
    lay_out(tmp_path, image)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.root
def test_a_certificate_is_had_by_acme_for_a_name_that_leads_here(net):
    assert net.world.internet.where("")["acme"] == ""  # these doors have no hosts behind them
    assert net.lan.why_no_acme == ""
    net.post("names", name="shop.firm.test", type="A", value="10.77.254.7")
    chain = net.run(sys.executable, str(CLIENT), "https://acme.sandbox.test/dir", "shop.firm.test", at=".7")
    assert chain.returncode == 0, chain.stderr
    leaf = x509.load_pem_x509_certificates(chain.stdout.encode())[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["shop.firm.test"]
    assert 89 <= (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days <= 90
    (net.home / "chain.pem").write_text(chain.stdout)
    bundle = str(net.world.internet.where("")["ca"])
    judge = [
        "openssl",
        "verify",
        "-CAfile",
        bundle,
        "-untrusted",
        str(net.home / "chain.pem"),
        str(net.home / "chain.pem"),
    ]
    told = subprocess.run(judge, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.root
def test_no_certificate_is_had_for_a_name_that_leads_elsewhere(net):
    net.post("names", name="elsewhere.firm.test", type="A", value="10.77.254.8")
    refused = net.run(
        sys.executable, str(CLIENT), "https://acme.sandbox.test/dir", "elsewhere.firm.test", at=".7"
    )
    assert refused.returncode != 0
    assert "invalid" in refused.stderr


@pytest.mark.root
def test_certificates_last_as_long_as_was_asked_so_that_a_renewal_can_be_watched(net, monkeypatch):
    monkeypatch.setenv("MAILAT_PEBBLE_VALIDITY", "600")
    net.restart()
    net.post("names", name="brief.firm.test", type="A", value="10.77.254.7")
    chain = net.run(sys.executable, str(CLIENT), "https://acme.sandbox.test/dir", "brief.firm.test", at=".7")
    assert chain.returncode == 0, chain.stderr
    leaf = x509.load_pem_x509_certificates(chain.stdout.encode())[0]
    assert 590 <= (leaf.not_valid_after_utc - leaf.not_valid_before_utc).total_seconds() <= 610
