"""Encryption at rest for the few tokens that must outlive a session.

The environment has no cipher library and one short text is no reason for one: HMAC-SHA256 in counter mode makes the key
stream, a second HMAC with its own key seals the result (encrypt, then authenticate). Keys are derived from SECRET_KEY.
"""

import base64
import hmac
import secrets
from typing import Final

from django.conf import settings

_NONCE_BYTES: Final = 16
_TAG_BYTES: Final = 32
_BLOCK_BYTES: Final = 32


class BrokenSeal(Exception):
    """Not sealed by us, sealed under another SECRET_KEY, or changed since."""


def seal(text: str) -> str:
    """`text`, encrypted. Sealing the same text twice gives different results."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    hidden = _with_stream(text.encode(), nonce=nonce)
    return base64.urlsafe_b64encode(nonce + hidden + _tag(nonce + hidden)).decode()


def unseal(sealed: str) -> str:
    """The text again; raises BrokenSeal."""
    try:
        raw = base64.urlsafe_b64decode(sealed)
    except ValueError as error:
        raise BrokenSeal from error
    body, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
    if len(body) < _NONCE_BYTES or not hmac.compare_digest(tag, _tag(body)):
        raise BrokenSeal
    return _with_stream(body[_NONCE_BYTES:], nonce=body[:_NONCE_BYTES]).decode()


def _key(purpose: str) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), f"afterresume.sealing.{purpose}".encode(), "sha256")


def _tag(body: bytes) -> bytes:
    return hmac.digest(_key("seal"), body, "sha256")


def _with_stream(data: bytes, *, nonce: bytes) -> bytes:
    key = _key("stream")
    blocks = range(-(-len(data) // _BLOCK_BYTES))
    stream = b"".join(hmac.digest(key, nonce + number.to_bytes(8, "big"), "sha256") for number in blocks)
    return bytes(a ^ b for a, b in zip(data, stream, strict=False))
