"""Making and changing people."""

import re
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.accounts.services.tokens import revoke_all_tokens
from apps.accounts.types import UserView
from apps.common.db import require_transaction
from apps.common.errors import Invalid, NotFound
from apps.observability.services import record_audit

# No "@": a user name that reads as somebody's e-mail address could stand in for it at login.
_USERNAME: Final = re.compile(r"[A-Za-z0-9._+-]{3,150}")
USERNAME_RULE: Final = "Use 3 to 150 letters, digits or . _ + - characters."
USERNAME_TAKEN: Final = "This user name is taken."
EMAIL_TAKEN: Final = "This e-mail address is already in use."
EMAIL_RULE: Final = "Enter a valid e-mail address."


def view_user(user: User) -> UserView:
    """The person as other apps see one."""
    return UserView(
        id=user.id,
        username=user.username,
        email=user.email,
        display_name=user.display_name,
        is_staff=user.is_staff,
    )


def check_new_user(*, username: str, email: str, password: str) -> None:
    """Raises Invalid with every field that breaks a rule. Does not tell whether the name or address is taken."""
    fields: dict[str, list[str]] = {}
    if not _USERNAME.fullmatch(username):
        fields["username"] = [USERNAME_RULE]
    try:
        validate_email(email)
    except ValidationError:
        fields["email"] = [EMAIL_RULE]
    try:
        validate_password(password, user=User(username=username, email=email))
    except ValidationError as error:
        fields["password"] = error.messages
    if fields:
        raise Invalid(fields=fields)


def create_user(
    *,
    user_id: UUID,
    username: str,
    email: str,
    password: str,
    now: datetime,
    display_name: str = "",
    is_staff: bool = False,
    is_superuser: bool = False,
) -> UserView:
    """Makes a person who can sign in; raises Invalid on a broken rule, a taken name or a taken address."""
    check_new_user(username=username, email=email, password=password)
    user = User(
        id=user_id,
        username=username,
        email=email,
        password=make_password(password),
        display_name=display_name,
        is_staff=is_staff,
        is_superuser=is_superuser,
        date_joined=now,
    )
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise Invalid(fields=_taken_fields(error)) from error
    return view_user(user)


def _taken_fields(error: IntegrityError) -> dict[str, list[str]]:
    """Which value was taken, from the unique key that refused the row; re-raises what is not about uniqueness."""
    constraint = str(getattr(getattr(error.__cause__, "diag", None), "constraint_name", ""))
    if "email" in constraint:
        return {"email": [EMAIL_TAKEN]}
    if "username" in constraint:
        return {"username": [USERNAME_TAKEN]}
    raise error


def rename_user(*, user_id: UUID, display_name: str) -> None:
    """Changes the name that documents are signed with."""
    User.objects.filter(id=user_id).update(display_name=display_name)


def set_staff(*, actor: UUID, user_id: UUID, is_staff: bool, now: datetime, reason: str = "") -> None:
    """Gives or takes the run of the place. Raises NotFound."""
    with transaction.atomic():
        user = User.objects.select_for_update().filter(id=user_id).first()
        if user is None:
            raise NotFound
        if user.is_staff == is_staff:
            return
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])
        record_audit(
            tenant=None,
            actor=actor,
            action="user.staff_given" if is_staff else "user.staff_taken",
            target_kind="user",
            target_id=user_id,
            now=now,
            before={"is_staff": not is_staff},
            after={"is_staff": is_staff},
            reason=reason,
        )


def set_active(*, actor: UUID, user_id: UUID, is_active: bool, reason: str, now: datetime) -> None:
    """Opens or closes an account; closing ends every token at once. Raises NotFound."""
    with transaction.atomic():
        user = User.objects.select_for_update().filter(id=user_id).first()
        if user is None:
            raise NotFound
        if user.is_active == is_active:
            return
        user.is_active = is_active
        user.save(update_fields=["is_active"])
        if not is_active:
            revoke_all_tokens(user_id=user_id, actor=actor, reason=reason, now=now)
        record_audit(
            tenant=None,
            actor=actor,
            action="user.activated" if is_active else "user.deactivated",
            target_kind="user",
            target_id=user_id,
            now=now,
            before={"is_active": not is_active},
            after={"is_active": is_active},
            reason=reason,
        )


def lock_user(*, user_id: UUID) -> UserView:
    """The person, whose security settings nobody else changes until the transaction ends. Raises NotFound."""
    require_transaction()
    # Not a full lock: rows that refer to the person may be written meanwhile.
    user = User.objects.select_for_update(no_key=True).filter(id=user_id).first()
    if user is None:
        raise NotFound
    return view_user(user)
