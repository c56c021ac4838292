"""What a person has in this app: read for their export, forgotten at their erasure."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction

from apps.accounts.models import ApiToken, RevokedToken, SeenDevice, User

_FORGOTTEN: Final = "deleted"


def get_identity(*, user_id: UUID) -> dict[str, Any]:
    """Everything that is kept about who the person is, but for the password's hash."""
    user = User.objects.get(id=user_id)
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "email_verified_at": user.email_verified_at,
        "display_name": user.display_name,
        "is_staff": user.is_staff,
        "joined_at": user.date_joined,
        "last_login_at": user.last_login,
    }


def get_address(*, user_id: UUID) -> str:
    """The e-mail address of the person; empty once it is forgotten."""
    address: str = User.objects.values_list("email", flat=True).get(id=user_id)
    return "" if address == _forgotten_address(user_id) else address


def iter_tokens(*, user_id: UUID) -> Iterator[dict[str, Any]]:
    """The person's sessions and personal tokens without anything that could stand in for one."""
    for token in ApiToken.objects.filter(user_id=user_id).order_by("created").iterator():
        yield {
            "id": token.public_id,
            "kind": token.kind,
            "name": token.name,
            "scopes": token.scopes,
            "created_at": token.created,
            "expires_at": token.expiry,
            "last_used_at": token.last_used_at,
            "address": token.address,
            "user_agent": token.user_agent,
        }


def iter_devices(*, user_id: UUID) -> Iterator[dict[str, Any]]:
    """The devices that the person has signed in from."""
    for row in SeenDevice.objects.filter(user_id=user_id).order_by("id").iterator():
        yield {"device": row.device, "first_seen_at": row.first_seen_at, "last_seen_at": row.last_seen_at}


@transaction.atomic
def forget_devices(*, user_id: UUID) -> int:
    """Deletes the devices that the person has signed in from; how many there were."""
    deleted: int = SeenDevice.objects.filter(user_id=user_id).delete()[0]
    return deleted


@transaction.atomic
def forget_person(*, user_id: UUID) -> None:
    """Takes everything from the row of a person but its id, for what is kept by law refers to that. Idempotent."""
    ApiToken.objects.filter(user_id=user_id).delete()
    RevokedToken.objects.filter(user_id=user_id).delete()
    User.objects.filter(id=user_id).update(
        username=name_forgotten(user_id),
        email=_forgotten_address(user_id),
        email_verified_at=None,
        display_name="",
        password=make_password(None),
        last_login=None,
        is_active=False,
        is_staff=False,
        is_superuser=False,
    )
    _forget_in_admin(user_id)


def name_forgotten(row_id: UUID) -> str:
    """What stands for somebody, or something, whose name is gone: `deleted-` and the random end of its id."""
    return f"{_FORGOTTEN}-{row_id.hex[-12:]}"


def _forgotten_address(user_id: UUID) -> str:
    return f"{_FORGOTTEN}-{user_id.hex}@invalid"


def _forget_in_admin(user_id: UUID) -> None:
    """Django admin writes the names of what it shows into its own log, and keeps sessions of its own."""
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=kind, object_id=str(user_id)).update(object_repr=_FORGOTTEN, change_message="")
    for session in Session.objects.iterator():
        if session.get_decoded().get("_auth_user_id") == str(user_id):
            session.delete()
