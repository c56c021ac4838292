"""The mails of this app. What opens something is made here, at the moment of sending, and stored nowhere."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.accounts.models import User
from apps.accounts.services.emails import CHANGE, SIGN_UP, make_key
from apps.accounts.services.notices import (
    CHANGE_EMAIL,
    EMAIL_CHANGE_NOTICE,
    EMAIL_TAKEN,
    NEW_SIGN_IN,
    PASSWORD_CHANGED,
    PASSWORD_RESET,
    VERIFY_EMAIL,
)
from apps.accounts.services.passwords import make_reset_token
from apps.common import clock
from apps.mail.links import frontend_link
from apps.mail.registry import Obsolete, register


def register_mails() -> None:
    """Makes the kinds of this app known. Called once, when the app is ready."""
    sample = {"username": "ada", "at": "23 November 2026, 09:00 UTC"}
    with_key = {**sample, "link": frontend_link("accounts", "email", "verify", "sample")}
    with_links = {**sample, **_point_to_security({})}
    register(
        kind=VERIFY_EMAIL,
        subject="Please confirm your e-mail address",
        enrich=_verify_email,
        sample=with_key,
    )
    register(
        kind=CHANGE_EMAIL,
        subject="Please confirm your new e-mail address",
        enrich=_change_email,
        sample=with_key,
    )
    register(
        kind=EMAIL_CHANGE_NOTICE,
        subject="Your e-mail address {% if is_done %}has changed{% else %}is about to change{% endif %}",
        enrich=_point_to_security,
        sample={**with_links, "is_done": False},
    )
    register(
        kind=EMAIL_TAKEN, subject="Somebody tried to use your e-mail address", enrich=_tell_owner, sample=with_links
    )
    register(
        kind=PASSWORD_RESET,
        subject="Choose a new password",
        enrich=_reset_password,
        sample={**sample, "link": frontend_link("accounts", "password", "reset", "sample", "sample")},
    )
    register(
        kind=PASSWORD_CHANGED, subject="Your password has been changed", enrich=_point_to_security, sample=with_links
    )
    register(
        kind=NEW_SIGN_IN,
        subject="New sign-in from {{ device }}",
        enrich=_point_to_security,
        sample={**with_links, "device": "Firefox on Linux", "address": "192.0.2.7"},
    )


def _find_addressee(context: Mapping[str, Any], field: str = "email") -> User:
    """The person whom the mail is for, if it still concerns the address that it goes to. Raises Obsolete."""
    if not context["user"]:
        raise Obsolete
    user = User.objects.filter(id=UUID(context["user"]), is_active=True).first()
    if user is None or getattr(user, field) != context["email"]:
        raise Obsolete
    return user


def _verify_email(context: Mapping[str, Any]) -> Mapping[str, Any]:
    user = _find_addressee(context)
    if user.email_verified_at is not None:
        raise Obsolete
    return {"link": _link_key(user, user.email, SIGN_UP)}


def _change_email(context: Mapping[str, Any]) -> Mapping[str, Any]:
    user = _find_addressee(context, "pending_email")
    return {"link": _link_key(user, user.pending_email, CHANGE)}


def _link_key(user: User, email: str, purpose: str) -> str:
    key = make_key(user_id=user.id, email=email, purpose=purpose, now=clock.now())
    return frontend_link("accounts", "email", "verify", key)


def _reset_password(context: Mapping[str, Any]) -> Mapping[str, Any]:
    user = _find_addressee(context)
    token = make_reset_token(user=user, now=clock.now())
    return {"username": user.username, "link": frontend_link("accounts", "password", "reset", user.id.hex, token)}


def _tell_owner(context: Mapping[str, Any]) -> Mapping[str, Any]:
    _find_addressee(context)
    return _point_to_security(context)


def _point_to_security(context: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001 - the shape of every enrich
    return {
        "security_link": frontend_link("profile", "security"),
        "reset_link": frontend_link("accounts", "password", "reset"),
    }
