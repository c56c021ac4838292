"""Sealing the secrets that must be read again: a copy of the database alone opens none of them."""

import base64
from functools import cache
from typing import Final
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from apps.common.errors import Unavailable

_PURPOSE: Final = b"afterresume second factors v1"


class SealBroken(Unavailable):
    """The key that sealed a secret is no longer among the configured ones, or the row was tampered with."""

    code = "second_factor_unavailable"
    message = "Your authenticator app cannot be checked right now. Use a recovery code or a security key."


@cache
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derive(key)) for key in keys])


def _derive(key: str) -> bytes:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
    return base64.urlsafe_b64encode(derived)


def _current() -> MultiFernet:
    """The first key seals, all of them open. The service's own stand last: they seal while there is no other."""
    return _fernet((*settings.MFA_SEALING_KEYS, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


def seal(secret: str, *, user_id: UUID) -> str:
    """The secret as it may lie in a row of this person, and of nobody else."""
    return _current().encrypt(f"{user_id} {secret}".encode()).decode()


def reseal(sealed: str) -> str:
    """The same secret under the first key; raises SealBroken."""
    try:
        return _current().rotate(sealed.encode()).decode()
    except InvalidToken as error:
        raise SealBroken from error


def unseal(sealed: str, *, user_id: UUID) -> str:
    """The secret itself; raises SealBroken, also for a row that was copied from another person."""
    try:
        owner, _, secret = _current().decrypt(sealed.encode()).decode().partition(" ")
    except InvalidToken as error:
        raise SealBroken from error
    if owner != str(user_id):
        raise SealBroken
    return secret
