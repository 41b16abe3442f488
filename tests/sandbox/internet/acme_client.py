"""A small ACME client (RFC 8555, http-01): `acme_client.py DIRECTORY NAME` prints the chain. Serves port 80 meanwhile."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import sys
import threading
import time
import urllib.request
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

TOKENS: dict[str, str] = {}


class Door(http.server.BaseHTTPRequestHandler):
    """Shows the proofs."""

    def do_GET(self) -> None:
        proof = TOKENS.get(self.path.rpartition("/")[2], "")
        self.send_response(200 if proof else 404)
        self.end_headers()
        self.wfile.write(proof.encode())

    def log_message(self, *words: object) -> None:
        pass


class Client:
    """Signs requests with a key of its own."""

    def __init__(self, directory: str) -> None:
        self._key, self._account = ec.generate_private_key(ec.SECP256R1()), ""
        with urllib.request.urlopen(directory, timeout=30) as answer:  # noqa: S310
            self._doors = json.load(answer)
        numbers = self._key.public_key().public_numbers()
        self._jwk = {
            "crv": "P-256",
            "kty": "EC",
            "x": b64(numbers.x.to_bytes(32, "big")),
            "y": b64(numbers.y.to_bytes(32, "big")),
        }
        _, headers = self.post(self._doors["newAccount"], {"termsOfServiceAgreed": True})
        self._account = headers["Location"]

    def post(self, url: str, content: Any) -> tuple[bytes, Any]:
        with urllib.request.urlopen(self._doors["newNonce"], timeout=30) as answer:  # noqa: S310
            nonce = answer.headers["Replay-Nonce"]
        who = {"kid": self._account} if self._account else {"jwk": self._jwk}
        head = b64(json.dumps({"alg": "ES256", "nonce": nonce, "url": url, **who}).encode())
        body = "" if content is None else b64(json.dumps(content).encode())
        r, s = utils.decode_dss_signature(
            self._key.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
        )
        signature = b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        data = json.dumps({"protected": head, "payload": body, "signature": signature}).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/jose+json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.read(), answer.headers

    def settled(self, url: str) -> dict[str, Any]:
        """The object when nothing is pending any more."""
        for _ in range(120):
            told = json.loads(self.post(url, None)[0])
            if told["status"] not in ("pending", "processing"):
                return dict(told)
            time.sleep(0.25)
        raise SystemExit(f"{url} stays pending")

    def certificate(self, name: str) -> str:
        order, headers = self.post(self._doors["newOrder"], {"identifiers": [{"type": "dns", "value": name}]})
        for url in json.loads(order)["authorizations"]:
            self._prove(url)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        wish = (
            x509.CertificateSigningRequestBuilder().subject_name(subject).add_extension(names, critical=False)
        )
        csr = wish.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        self.post(json.loads(order)["finalize"], {"csr": b64(csr)})
        return self.post(self.settled(headers["Location"])["certificate"], None)[0].decode()

    def _prove(self, url: str) -> None:
        challenges = json.loads(self.post(url, None)[0])["challenges"]
        challenge = next(one for one in challenges if one["type"] == "http-01")
        thumb = hashlib.sha256(json.dumps(self._jwk, sort_keys=True, separators=(",", ":")).encode()).digest()
        TOKENS[challenge["token"]] = f"{challenge['token']}.{b64(thumb)}"
        self.post(challenge["url"], {})
        if (told := self.settled(url))["status"] != "valid":
            raise SystemExit(f"the proof is {told['status']}: {told}")


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def main() -> None:
    server = http.server.ThreadingHTTPServer(("", 80), Door)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    print(Client(sys.argv[1]).certificate(sys.argv[2]))


if __name__ == "__main__":
    main()
