"""Typed codes of either kind: six digits from an authenticator app, or a recovery code."""

from datetime import datetime
from typing import Final
from uuid import UUID

from apps.mfa.refusals import BadCode
from apps.mfa.services import recovery_codes, totp
from apps.mfa.services.guesses import limited

_DIGITS: Final = 6
# Longer texts are no code of ours and not worth a digest.
_MAX_LENGTH: Final = 64


def check_code(*, user_id: UUID, code: str, now: datetime) -> bool:
    """Spends a code of the person; False when it is wrong or was used. Raises RateLimited after too many wrong ones."""
    try:
        with limited(user_id=user_id):
            if not take_code(user_id=user_id, code=code, now=now):
                raise BadCode
    except BadCode:
        return False
    return True


def take_code(*, user_id: UUID, code: str, now: datetime) -> bool:
    """The same without a limit, for those who count themselves."""
    plain = code.replace(" ", "").replace("-", "").strip()
    if not plain.isascii() or len(plain) > _MAX_LENGTH:
        return False
    if len(plain) == _DIGITS and plain.isdigit():
        return totp.take_code(user_id=user_id, code=plain, now=now)
    return recovery_codes.take_code(user_id=user_id, code=plain, now=now)
