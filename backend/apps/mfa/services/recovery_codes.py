"""Codes on paper: ten, each good once, for the day on which a phone or a key is lost."""

import hashlib
import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.accounts.selectors import get_user
from apps.accounts.services.users import lock_user
from apps.mfa.models import RecoveryCode
from apps.mfa.refusals import SecondFactorOff
from apps.mfa.selectors import count_recovery_codes, has_second_factor
from apps.mfa.services import notices

COUNT: Final = 10
# Without the letters that are taken for digits. 24 of 32 characters are 120 bits.
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH: Final = 24
_MISREAD: Final = str.maketrans("oil", "011", " -\t")


def make_code() -> str:
    """A fresh code as people write it down: `h3v0-9kzq-2mxw-t7bc-81rd-wy5n`."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return "-".join(text[start : start + 4] for start in range(0, _LENGTH, 4))


def digest_code(code: str, *, user_id: UUID) -> str:
    """What is stored of a code. A fast digest is enough from 112 random bits on (ASVS V6.5.2)."""
    return hashlib.sha256(f"{user_id} {code.strip().lower().translate(_MISREAD)}".encode()).hexdigest()


def replace_codes(*, user_id: UUID, now: datetime) -> tuple[str, ...]:
    """Ten new codes in place of what was there, shown this once. Call with the person locked."""
    codes = tuple(make_code() for _ in range(COUNT))
    RecoveryCode.objects.filter(user_id=user_id).delete()
    RecoveryCode.objects.bulk_create(
        [RecoveryCode(user_id=user_id, digest=digest_code(code, user_id=user_id), created_at=now) for code in codes]
    )
    return codes


@transaction.atomic
def renew_codes(*, user_id: UUID, now: datetime) -> tuple[str, ...]:
    """Ten new codes; the old ones end. Raises SecondFactorOff: without a factor there is nothing to stand in for."""
    user = lock_user(user_id=user_id)
    if not has_second_factor(user_id=user_id):
        raise SecondFactorOff
    left = count_recovery_codes(user_id=user_id)
    codes = replace_codes(user_id=user_id, now=now)
    notices.audit(
        actor=user_id,
        user_id=user_id,
        action="recovery_codes_renewed",
        now=now,
        before={"left": left},
        after={"left": COUNT},
    )
    notices.tell(user=user, kind=notices.ADDED, context={"what": "a new set of recovery codes"}, now=now)
    return codes


@transaction.atomic
def take_code(*, user_id: UUID, code: str, now: datetime) -> bool:
    """Spends the code. False for one that the person does not have or that is spent."""
    taken = RecoveryCode.objects.filter(
        user_id=user_id, digest=digest_code(code, user_id=user_id), used_at__isnull=True
    ).update(used_at=now)
    if not taken:
        return False
    left = count_recovery_codes(user_id=user_id)
    notices.audit(actor=user_id, user_id=user_id, action="recovery_code_used", now=now, after={"left": left})
    user = get_user(user_id=user_id)
    notices.tell(user=user, kind=notices.RECOVERY_CODE_USED, context={"left": left}, now=now)
    return True
