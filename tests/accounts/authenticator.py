"""A passkey in software, which speaks WebAuthn as a browser with a key does (https://www.w3.org/TR/webauthn-3/)."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class SoftKey:
    """`says` overrides what an honest browser would tell of itself."""

    origin: str = "http://testserver"
    verifies: bool = True
    count: int = 0
    id: bytes = field(default_factory=lambda: os.urandom(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    handle: bytes = b""

    def create(self, asked: dict[str, Any]) -> str:
        """What the form of a new passkey sends."""
        self.handle = websafe_decode(asked["user"]["id"])
        public = cbor.encode(ES256.from_cryptography_key(self.key.public_key()))
        credential = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        made = {
            "fmt": "none",
            "attStmt": {},
            "authData": self._told(asked["rp"]["id"], ATTESTED) + credential,
        }
        client = self._client("webauthn.create", asked)
        return self._answer(clientDataJSON=client, attestationObject=cbor.encode(made))

    def get(self, asked: dict[str, Any]) -> str:
        """What the form of an existing one sends."""
        told, client = self._told(asked["rpId"]), self._client("webauthn.get", asked)
        signed = self.key.sign(told + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=client, authenticatorData=told, signature=signed, userHandle=self.handle
        )

    def _told(self, rp: str, more: int = 0) -> bytes:
        flags = PRESENT | more | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(rp.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, asked: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": asked["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _answer(self, **response: bytes) -> str:
        name = websafe_encode(self.id)
        said = {part: websafe_encode(value) for part, value in response.items()}
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "response": said, "clientExtensionResults": {}}
        )
