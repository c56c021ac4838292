"""Proving and changing e-mail addresses.

A new address opens nothing until its owner has proved it; until then the old one stays. Keys are signed and bound to
person, purpose and address, and stored nowhere: they are made when the mail is sent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.accounts.selectors import find_owner
from apps.accounts.services.notices import CHANGE_EMAIL, EMAIL_CHANGE_NOTICE, EMAIL_TAKEN, VERIFY_EMAIL, tell
from apps.accounts.services.users import EMAIL_RULE
from apps.common.errors import Conflict, Invalid
from apps.observability.services import record_audit

KEY_LIFETIME: Final = timedelta(days=3)
SIGN_UP: Final = "v"
CHANGE: Final = "c"
_SAME_ADDRESS: Final = "This is your address already."


class VerificationInvalid(Invalid):
    """The same for a forged key, an old one and one for an address that is not wanted any more."""

    code = "verification_invalid"
    message = "This link is not valid any more. Please ask for a new one."


class EmailTaken(Conflict):
    """Only for somebody who has proved that they read the address's mail."""

    code = "email_taken"
    message = "This address belongs to another account by now."


@dataclass(frozen=True, slots=True)
class VerifiedEmail:
    """An address that its owner has proved."""

    email: str


def make_key(*, user_id: UUID, email: str, purpose: str, now: datetime) -> str:
    """A key that proves the address. The address is part of the signature alone, so no link shows it."""
    return _signer(purpose, email).sign(f"{user_id.hex}.{purpose}.{int(now.timestamp())}")


def _signer(purpose: str, email: str) -> Signer:
    return Signer(sep=".", salt=f"apps.accounts.email:{purpose}:{email.lower()}")


def queue_verification(*, user_id: UUID, now: datetime) -> None:
    """Queues the mail that asks the person to prove their address, unless they have. Call inside a transaction."""
    user = User.objects.get(id=user_id)
    if user.email_verified_at is None:
        tell(user=user, kind=VERIFY_EMAIL, context=_bind(user, user.email), now=now)


def resend_verification(*, user_id: UUID, now: datetime) -> None:
    """Queues once more the mail for whichever address waits for its proof; nothing when none does."""
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(id=user_id)
        if user.pending_email:
            _queue_change(user, now)
        else:
            queue_verification(user_id=user_id, now=now)


def request_change(*, user_id: UUID, email: str, now: datetime) -> None:
    """Begins a change of address: a key goes to the new one, a notice to the old one. Raises Invalid.

    Whether the new address is somebody else's is told to its owner alone, by another mail in place of the key.
    """
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid(fields={"email": [EMAIL_RULE]}) from error
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(id=user_id)
        if email == user.email:
            raise Invalid(fields={"email": [_SAME_ADDRESS]})
        user.pending_email, user.pending_email_at = email, now
        user.save(update_fields=["pending_email", "pending_email_at"])
        _audit("email.change_requested", user_id, now)
        _queue_change(user, now)
        tell(user=user, kind=EMAIL_CHANGE_NOTICE, context={"is_done": False}, now=now)


def _queue_change(user: User, now: datetime) -> None:
    owner = find_owner(email=user.pending_email)
    if owner is None or owner.id == user.id:
        tell(user=user, kind=CHANGE_EMAIL, context=_bind(user, user.pending_email), to=user.pending_email, now=now)
    else:
        tell(user=owner, kind=EMAIL_TAKEN, context=_bind(owner, owner.email), now=now)


def drop_stale_changes(*, now: datetime) -> int:
    """Forgets every wish for another address whose key has expired; returns how many. Goes over all people."""
    stale = User.objects.exclude(pending_email="").filter(pending_email_at__lt=now - KEY_LIFETIME)
    return stale.update(pending_email="", pending_email_at=None)


def drop_change(*, user_id: UUID, now: datetime) -> None:
    """Forgets the address that waits for its proof; its key is dead at once."""
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(id=user_id)
        if user.pending_email:
            user.pending_email, user.pending_email_at = "", None
            user.save(update_fields=["pending_email", "pending_email_at"])
            _audit("email.change_dropped", user_id, now)


def verify_email(*, key: str, now: datetime) -> VerifiedEmail:
    """Takes the key for what it was made for: proving the address of an account, or changing to a new one.

    The same key again changes nothing and is answered alike. Raises VerificationInvalid, and EmailTaken when somebody
    else has proved the address first.
    """
    user_id, purpose = _read(key, now)
    try:
        with transaction.atomic():
            user = User.objects.select_for_update(no_key=True).filter(id=user_id, is_active=True).first()
            if user is None:
                raise VerificationInvalid
            return VerifiedEmail(email=_take(user, key, purpose, now))
    except IntegrityError as error:
        raise EmailTaken from error


def _read(key: str, now: datetime) -> tuple[UUID, str]:
    """Whom the key names and for what; its signature is looked at once their address is known."""
    parts = key.split(".")
    try:
        user_id, purpose, stamp = UUID(hex=parts[0]), parts[1], int(parts[2])
        age = now - datetime.fromtimestamp(stamp, tz=now.tzinfo)
    except (IndexError, ValueError, OverflowError, OSError):
        raise VerificationInvalid from None
    if len(parts) != 4 or purpose not in {SIGN_UP, CHANGE} or age > KEY_LIFETIME:
        raise VerificationInvalid
    return user_id, purpose


def _take(user: User, key: str, purpose: str, now: datetime) -> str:
    if purpose == CHANGE and user.pending_email and _is_signed(key, purpose, user.pending_email):
        _change(user, now)
    elif not _is_signed(key, purpose, user.email):
        raise VerificationInvalid
    elif user.email_verified_at is None:
        user.email_verified_at = now
        user.save(update_fields=["email_verified_at"])
        _audit("email.verified", user.id, now)
    return user.email


def _is_signed(key: str, purpose: str, email: str) -> bool:
    try:
        _signer(purpose, email).unsign(key)
    except BadSignature:
        return False
    return True


def _change(user: User, now: datetime) -> None:
    """The database's unique key, which folds case, is what decides between two who want the same address."""
    old = user.email
    user.email, user.email_verified_at = user.pending_email, now
    user.pending_email, user.pending_email_at = "", None
    user.save(update_fields=["email", "email_verified_at", "pending_email", "pending_email_at"])
    _audit("email.changed", user.id, now)
    tell(user=user, kind=EMAIL_CHANGE_NOTICE, context={"is_done": True}, to=old, now=now)


def _bind(user: User, email: str) -> dict[str, str]:
    """What the mail is about, so that it is not sent when it is over."""
    return {"user": str(user.id), "email": email}


def _audit(action: str, user_id: UUID, now: datetime) -> None:
    record_audit(tenant=None, actor=user_id, action=action, target_kind="user", target_id=user_id, now=now)
