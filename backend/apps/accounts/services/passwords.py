"""Changing a password, and getting back in without one."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import User
from apps.accounts.selectors import find_open_account
from apps.accounts.services.credentials import BadCredentials
from apps.accounts.services.notices import PASSWORD_CHANGED, PASSWORD_RESET, tell
from apps.accounts.services.tokens import mark_authenticated, revoke_all_tokens
from apps.common import rate_limits
from apps.common.errors import Conflict, Invalid, NotFound, RateLimited
from apps.common.limits import PASSWORD_RESET_EMAIL
from apps.mail.services import queue_mail
from apps.observability.services import record_audit


class WrongPassword(BadCredentials):
    """Somebody who is signed in did not know the password."""

    message = "The password is not right."

    def __init__(self, *, field: str = "password") -> None:
        super().__init__(fields={field: [self.message]})


class ResetLinkInvalid(Invalid):
    """The same for a forged link, an old one and one that was used."""

    code = "reset_link_invalid"
    message = "This link is not valid any more. Please ask for a new one."


class PasswordChangedMeanwhile(Conflict):
    message = "The password was changed at the same moment. Please try again."


class ResetTokens(PasswordResetTokenGenerator):
    """Django's, bound to the password and the address: a change of either ends the link. `now` is passed in."""

    key_salt = "apps.accounts.password_reset"

    def __init__(self, *, now: datetime) -> None:
        super().__init__()
        self._moment = now.replace(tzinfo=None)

    def _now(self) -> datetime:
        return self._moment


def check_password(*, user_id: UUID, password: str, field: str = "password") -> None:
    """Raises WrongPassword unless this is the password of the person, whose account is open."""
    _authenticate(user_id, password, field)


def _authenticate(user_id: UUID, password: str, field: str) -> User:
    user = User.objects.filter(id=user_id, is_active=True).first()
    if user is None or not user.check_password(password):
        raise WrongPassword(field=field)
    return user


def check_new_password(*, user: User, password: str, field: str) -> None:
    """Raises Invalid with every rule that the password breaks."""
    try:
        validate_password(password, user=user)
    except ValidationError as error:
        raise Invalid(fields={field: error.messages}) from error


def reauthenticate(*, user_id: UUID, password: str, public_id: UUID | None, now: datetime) -> None:
    """Notes in the session `public_id` that its person has proved again who they are. Raises WrongPassword."""
    check_password(user_id=user_id, password=password)
    if public_id is not None:
        mark_authenticated(public_id=public_id, now=now)


def change_password(
    *, user_id: UUID, current_password: str, new_password: str, now: datetime, except_public_id: UUID | None = None
) -> None:
    """Sets a new password and ends every token but the one that the change came with. Raises Invalid by field."""
    user = _authenticate(user_id, current_password, "current_password")
    check_new_password(user=user, password=new_password, field="new_password")
    hashed = make_password(new_password)
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(id=user_id)
        if locked.password != user.password:
            # Hashing takes a while, and a reset may have come in between: the later of two must not undo it.
            raise PasswordChangedMeanwhile
        _set_password(locked, hashed, "Password changed", now, except_public_id)
        if except_public_id is not None:
            mark_authenticated(public_id=except_public_id, now=now)


def request_reset(*, email: str, now: datetime) -> None:
    """Queues a reset link for the open account with this address, verified or not.

    An unknown address gets the same look-up and the same row, with nobody to send it to: neither the answer nor its
    time tells whether there is an account. Too many requests for one address are dropped in silence.
    """
    try:
        rate_limits.check(limit=PASSWORD_RESET_EMAIL, key=email.strip().casefold())
    except RateLimited:
        return
    _queue_reset(find_open_account(email=email), now)


def send_reset(*, user_id: UUID, actor: UUID, reason: str, now: datetime) -> None:
    """Sends the person a reset link on behalf of staff. Raises NotFound, also for a closed account."""
    user = User.objects.filter(id=user_id, is_active=True).first()
    if user is None:
        raise NotFound
    with transaction.atomic():
        _queue_reset(user, now)
        _audit("password.reset_sent", user_id, actor, now, reason=reason)


def _queue_reset(user: User | None, now: datetime) -> None:
    context = {"user": str(user.id), "email": user.email} if user else {"user": "", "email": ""}
    queue_mail(
        kind=PASSWORD_RESET,
        user_id=user.id if user else None,
        to=user.email if user else "",
        context=context,
        now=now,
    )


def make_reset_token(*, user: User, now: datetime) -> str:
    """The secret half of a reset link. It is made when the mail is sent and stored nowhere."""
    return ResetTokens(now=now).make_token(user)


def reset_password(*, uid: str, token: str, password: str, now: datetime) -> None:
    """Sets the password of whom the link was sent to, and ends all their tokens.

    Whoever opens the link reads the address's mail, so the address is proved as well. Raises ResetLinkInvalid, Invalid.
    """
    user = _find_by_link(uid, token, now)
    check_new_password(user=user, password=password, field="password")
    hashed = make_password(password)
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(id=user.id)
        # Once more under the lock: of two who use the link at once, the second finds it spent.
        if not locked.is_active or not ResetTokens(now=now).check_token(locked, token):
            raise ResetLinkInvalid
        if locked.email_verified_at is None:
            locked.email_verified_at = now
            locked.save(update_fields=["email_verified_at"])
        _set_password(locked, hashed, "Password reset by mail", now, None)


def _find_by_link(uid: str, token: str, now: datetime) -> User:
    try:
        user = User.objects.filter(id=UUID(hex=uid), is_active=True).first()
    except ValueError:
        user = None
    if user is None or not ResetTokens(now=now).check_token(user, token):
        raise ResetLinkInvalid
    return user


def _set_password(user: User, hashed: str, reason: str, now: datetime, except_public_id: UUID | None) -> None:
    user.password = hashed
    user.save(update_fields=["password"])
    revoke_all_tokens(user_id=user.id, actor=user.id, reason=reason, now=now, except_public_id=except_public_id)
    _audit("password.changed", user.id, user.id, now, reason=reason)
    tell(user=user, kind=PASSWORD_CHANGED, now=now)


def _audit(action: str, user_id: UUID, actor: UUID, now: datetime, *, reason: str) -> None:
    record_audit(
        tenant=None,
        actor=actor,
        action=action,
        target_kind="user",
        target_id=user_id,
        now=now,
        reason=reason,
    )
