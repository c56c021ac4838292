"""A security key in software: it makes keys and signs as WebAuthn demands, or wrongly where a test wants it so."""

import hashlib
import json
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fido2 import cbor

ORIGIN: Final = "http://localhost:3000"
AAGUID: Final = bytes(range(16))
USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40
ES256, EDDSA, RS256 = -7, -8, -257

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def make_key(algorithm: int) -> PrivateKey:
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == RS256:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Authenticator:
    """One key on one device. `counter` grows with each signature; a device without a counter has a `stride` of 0."""

    algorithm: int = ES256
    origin: str = ORIGIN
    rp_id: str = "localhost"
    flags: int = USER_PRESENT | USER_VERIFIED
    counter: int = 1
    stride: int = 1
    is_framed: bool = False
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    private_key: PrivateKey = field(init=False)
    user_handle: bytes | None = None

    def __post_init__(self) -> None:
        self.private_key = make_key(self.algorithm)

    def create(self, options: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """What a browser answers to `credentials.create`; `changes` replace members of the client's data."""
        client_data = self._client_data("webauthn.create", options["challenge"], changes)
        credential = AAGUID + struct.pack(">H", len(self.credential_id)) + self.credential_id + self.cose_key()
        data = self._authenticator_data(self.flags | ATTESTED) + credential
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        response = {"clientDataJSON": encode(client_data), "attestationObject": encode(attestation)}
        return self._answer({**response, "transports": ["usb", "nfc", "carrier-pigeon"]})

    def get(self, options: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """What a browser answers to `credentials.get`."""
        client_data = self._client_data("webauthn.get", options["challenge"], changes)
        self.counter += self.stride
        data = self._authenticator_data(self.flags)
        response = {
            "clientDataJSON": encode(client_data),
            "authenticatorData": encode(data),
            "signature": encode(self._sign(data + hashlib.sha256(client_data).digest())),
        }
        if self.user_handle is not None:
            response["userHandle"] = encode(self.user_handle)
        return self._answer(response)

    def cose_key(self) -> bytes:
        """The public key as CBOR (RFC 9052)."""
        public = self.private_key.public_key()
        if isinstance(public, ec.EllipticCurvePublicKey):
            numbers = public.public_numbers()
            point = {-2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
            return cbor.encode({1: 2, 3: self.algorithm, -1: 1, **point})
        if isinstance(public, rsa.RSAPublicKey):
            modulus = public.public_numbers().n.to_bytes(256, "big")
            return cbor.encode({1: 3, 3: RS256, -1: modulus, -2: b"\x01\x00\x01"})
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return cbor.encode({1: 1, 3: EDDSA, -1: 6, -2: raw})

    def _answer(self, response: Mapping[str, Any]) -> dict[str, Any]:
        handle = encode(self.credential_id)
        return {
            "id": handle,
            "rawId": handle,
            "type": "public-key",
            "response": dict(response),
            "clientExtensionResults": {},
        }

    def _client_data(self, kind: str, challenge: str, changes: Mapping[str, Any]) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.is_framed, **changes}
        return json.dumps(data).encode()

    def _authenticator_data(self, flags: int) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + struct.pack(">BI", flags, self.counter)

    def _sign(self, message: bytes) -> bytes:
        if isinstance(self.private_key, ec.EllipticCurvePrivateKey):
            return self.private_key.sign(message, ec.ECDSA(hashes.SHA256()))
        if isinstance(self.private_key, rsa.RSAPrivateKey):
            return self.private_key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return self.private_key.sign(message)
