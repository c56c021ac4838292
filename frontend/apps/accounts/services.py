"""Signing in, signing out, and the local mirror of who somebody is."""

from datetime import datetime, timedelta
from typing import Final

import structlog
from django.contrib.sessions.models import Session
from django.db.models import F

from apps.accounts.models import PendingRevocation, User
from apps.accounts.sealing import BrokenSeal, seal, unseal
from apps.backend.auth import Account
from apps.backend.errors import BackendError, BackendUnavailable, NotAuthenticated, RateLimited
from apps.backend.me import Me
from apps.shell.client import client_with_token

log = structlog.get_logger(__name__)

# A sign-in or sign-out that passes by clears this many of what waits; each may take two seconds when things are bad.
REVOCATIONS_IN_PASSING: Final = 2
# A copy of somebody who has not signed in for so long belongs to no session that could still be open.
FORGOTTEN_AFTER: Final = timedelta(days=30)


def mirror_user(*, account: Account, now: datetime) -> User:
    """The local copy of a backend user, made or brought up to date. It has no usable password."""
    user = User.objects.filter(pk=account.id).first() or User(pk=account.id)
    if not user.password:
        user.set_unusable_password()
    user.username = account.username
    user.email = account.email
    user.is_backend_staff = account.is_staff
    user.tenant_id = account.tenant.id
    user.tenant_name = account.tenant.name
    user.role = account.role
    user.mirrored_at = now
    user.save()
    return user


def mirror_profile(*, user: User, me: Me, now: datetime) -> None:
    """Take over what only the profile knows: how to address the person, and where the day begins."""
    user.display_name = me.profile.display_name
    user.time_zone = me.profile.time_zone
    user.email = me.email
    user.is_email_verified = me.is_email_verified
    user.is_backend_staff = me.is_staff
    user.role = me.role
    user.tenant_name = me.tenant.name
    user.deletion_scheduled_for = me.deletion.scheduled_for if me.deletion else None
    user.mirrored_at = now
    user.save()


def mirror_deletion(*, user: User, scheduled_for: datetime | None) -> None:
    """Take over when the account is to be erased; None when it is not."""
    if user.deletion_scheduled_for != scheduled_for:
        user.deletion_scheduled_for = scheduled_for
        user.save(update_fields=["deletion_scheduled_for"])


def fetch_profile(*, user: User, token: str, now: datetime) -> None:
    """Mirror the profile at sign-in. A backend that stumbles here must not undo a sign-in that it has just granted."""
    try:
        mirror_profile(user=user, me=client_with_token(token).me.get(), now=now)
    except BackendError as error:
        log.info("profile_not_mirrored", code=error.code)


def end_token(*, token: str, now: datetime, request_id: str = "") -> None:
    """Revoke a token in the backend. When that cannot be done now, the revocation waits in the database."""
    try:
        client_with_token(token, request_id=request_id).auth.log_out()
    except NotAuthenticated:
        return
    except BackendError as error:
        log.warning("revocation_queued", code=error.code)
        PendingRevocation.objects.create(sealed_token=seal(token), queued_at=now)


def revoke_pending(*, limit: int | None = None) -> int:
    """Send the revocations that wait; returns how many are done. Stops at the first sign of a missing backend."""
    done = 0
    for pending in PendingRevocation.objects.all()[:limit]:
        try:
            client_with_token(unseal(pending.sealed_token)).auth.log_out()
        except (BackendUnavailable, RateLimited):
            PendingRevocation.objects.filter(pk=pending.pk).update(attempts=F("attempts") + 1)
            break
        except (NotAuthenticated, BrokenSeal) as error:
            # Dead already, or unreadable for ever because the secret has changed.
            log.info("revocation_dropped", reason=type(error).__name__)
        PendingRevocation.objects.filter(pk=pending.pk).delete()
        done += 1
    return done


def tidy_up(*, now: datetime) -> None:
    """What a sign-in clears away in passing: revocations that wait, sessions that are over, copies of people long gone.

    An account that is erased in the backend so leaves nothing here.
    """
    revoke_pending(limit=REVOCATIONS_IN_PASSING)
    Session.objects.filter(expire_date__lt=now).delete()
    User.objects.filter(mirrored_at__lt=now - FORGOTTEN_AFTER).delete()
