"""Encryption at rest for the few secrets that must outlive a request.

Fernet (AES-128-CBC with HMAC-SHA256) under a key derived from SECRET_KEY, so that a copy of the database opens nothing.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class BrokenSeal(Exception):
    """Not sealed by us, sealed under another SECRET_KEY, or changed since."""


def seal(text: str) -> str:
    """`text`, encrypted. Sealing the same text twice gives different results."""
    return _cipher().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text again; raises BrokenSeal."""
    try:
        return _cipher().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise BrokenSeal from error


def _cipher() -> Fernet:
    """Its own key: what SECRET_KEY signs elsewhere must never be of use here, nor the reverse."""
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"afterresume.frontend.sealing")
    return Fernet(base64.urlsafe_b64encode(derivation.derive(settings.SECRET_KEY.encode())))
