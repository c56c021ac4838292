"""Codes of an authenticator app (RFC 6238): six digits, new each half minute, each good once."""

from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final
from uuid import UUID

import pyotp
from django.db import transaction

from apps.accounts.services.users import lock_user
from apps.common.errors import NotFound
from apps.common.states import WrongState
from apps.mfa.models import TotpDevice
from apps.mfa.refusals import BadCode
from apps.mfa.selectors import has_second_factor
from apps.mfa.services import notices, recovery_codes, removal
from apps.mfa.services.guesses import limited
from apps.mfa.services.sealing import seal, unseal
from apps.mfa.types import TotpSetup

ISSUER: Final = "AfterResume"
# Clocks of phones are off by some seconds, and people need some to type: one step to either side.
_DRIFT: Final = (-1, 0, 1)
# How long a secret waits for its first code.
PENDING_FOR: Final = timedelta(minutes=30)


class NothingToConfirm(WrongState):
    message = "Start the set-up of the authenticator app again: there is nothing to confirm any more."


@transaction.atomic
def begin_totp(*, user_id: UUID, now: datetime) -> TotpSetup:
    """A secret for an authenticator app, which counts once its first code has been shown. Begun anew, the last counts.

    An app that is in use stays so until then.
    """
    user = lock_user(user_id=user_id)
    secret = pyotp.random_base32()
    TotpDevice.objects.update_or_create(
        user_id=user_id, defaults={"pending_secret": seal(secret, user_id=user_id), "pending_at": now}
    )
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER)
    return TotpSetup(secret=secret, uri=uri)


def confirm_totp(*, user_id: UUID, code: str, now: datetime) -> tuple[str, ...]:
    """Puts the pending secret to use. Returns recovery codes when it is the first factor, else nothing.

    Raises BadCode, RateLimited, and NothingToConfirm when nothing was begun within PENDING_FOR.
    """
    with limited(user_id=user_id), transaction.atomic():
        user = lock_user(user_id=user_id)
        device = TotpDevice.objects.filter(user_id=user_id, pending_at__gt=now - PENDING_FOR).first()
        if device is None:
            raise NothingToConfirm
        step = _find_step(unseal(device.pending_secret, user_id=user_id), code.replace(" ", ""), now=now)
        if step is None:
            raise BadCode
        was_on, is_first = device.confirmed_at is not None, not has_second_factor(user_id=user_id)
        _put_to_use(device, step, now)
        action = "totp_replaced" if was_on else "totp_added"
        notices.audit(
            actor=user_id, user_id=user_id, action=action, now=now, before={"totp": was_on}, after={"totp": True}
        )
        notices.tell(user=user, kind=notices.ADDED, context={"what": "an authenticator app"}, now=now)
        return recovery_codes.replace_codes(user_id=user_id, now=now) if is_first else ()


def _put_to_use(device: TotpDevice, step: int, now: datetime) -> None:
    device.secret, device.confirmed_at, device.last_used_step = device.pending_secret, now, step
    device.pending_secret, device.pending_at = "", None
    device.save()


@transaction.atomic
def remove_totp(*, user_id: UUID, now: datetime) -> None:
    """Ends the authenticator app. Raises NotFound, and LastFactorOfStaff."""
    user = lock_user(user_id=user_id)
    deleted, _ = TotpDevice.objects.filter(user_id=user_id, confirmed_at__isnull=False).delete()
    if not deleted:
        raise NotFound
    removal.finish_removal(user=user, action="totp_removed", what="the authenticator app", now=now)


def take_code(*, user_id: UUID, code: str, now: datetime) -> bool:
    """Spends the code, and with it all older ones. False for a wrong one or one that was used."""
    device = TotpDevice.objects.filter(user_id=user_id, confirmed_at__isnull=False).first()
    if device is None:
        return False
    step = _find_step(unseal(device.secret, user_id=user_id), code, now=now)
    if step is None:
        return False
    # Compare and set: of many who send the same code at once, one moves the step on.
    unused = TotpDevice.objects.filter(id=device.id, secret=device.secret, last_used_step__lt=step)
    return unused.update(last_used_step=step) == 1


def _find_step(secret: str, code: str, *, now: datetime) -> int | None:
    """The time step that the code belongs to, among those that are close to `now`."""
    totp = pyotp.TOTP(secret)
    current, found = totp.timecode(now), None
    for offset in _DRIFT:
        # All of them, whichever fits: the time of the answer tells nothing.
        if compare_digest(totp.generate_otp(current + offset).encode(), code.encode("utf-8", "replace")):
            found = current + offset
    return found
