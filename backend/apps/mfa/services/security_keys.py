"""Registering, naming and removing security keys."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.accounts.selectors import get_user
from apps.accounts.services.users import lock_user
from apps.mfa import gateways
from apps.mfa.gateways import NewKey
from apps.mfa.models import SecurityKey
from apps.mfa.refusals import BadKey, KeyKnown, TooManyKeys
from apps.mfa.selectors import get_key, has_second_factor, view_key
from apps.mfa.services import notices, recovery_codes, removal
from apps.mfa.services.assertions import list_known_keys
from apps.mfa.services.challenges import close_challenge, open_challenge, take_attempt
from apps.mfa.types import AddedKey, KeySetup, KeyView, Purpose

MAX_KEYS: Final = 20


def begin_key(*, user_id: UUID, now: datetime) -> KeySetup:
    """Asks for a new security key. Raises TooManyKeys."""
    user, keys = get_user(user_id=user_id), list_known_keys(user_id=user_id)
    if len(keys) >= MAX_KEYS:
        raise TooManyKeys
    options, state = gateways.ask_to_register(
        user_id=user_id, username=user.username, display_name=user.display_name, keys=keys
    )
    challenge = open_challenge(user_id=user_id, purpose=Purpose.REGISTER, webauthn_state=state, now=now)
    return KeySetup(challenge=challenge, options=options)


def add_key(*, user_id: UUID, challenge_id: str, name: str, credential: Mapping[str, Any], now: datetime) -> AddedKey:
    """Registers the key that answers the challenge. Recovery codes come with a person's first factor.

    Raises ChallengeExpired, BadKey, KeyKnown and TooManyKeys. Must not run in a transaction that a refusal undoes.
    """
    challenge = take_attempt(challenge_id=challenge_id, purpose=Purpose.REGISTER, user_id=user_id, now=now)
    if challenge.webauthn_state is None:
        raise BadKey
    new = gateways.read_registration(state=challenge.webauthn_state, answer=credential)
    with transaction.atomic():
        user = lock_user(user_id=user_id)
        close_challenge(challenge=challenge, now=now)
        is_first = not has_second_factor(user_id=user_id)
        if SecurityKey.objects.filter(user_id=user_id).count() >= MAX_KEYS:
            raise TooManyKeys
        key = _save_key(user_id, name, new, now)
        codes = recovery_codes.replace_codes(user_id=user_id, now=now) if is_first else ()
        notices.audit(actor=user_id, user_id=user_id, action="key_added", now=now, after={"key": str(key.id)})
        notices.tell(user=user, kind=notices.ADDED, context={"what": f"the security key “{name}”"}, now=now)
    return AddedKey(key=view_key(key), recovery_codes=codes)


def _save_key(user_id: UUID, name: str, new: NewKey, now: datetime) -> SecurityKey:
    key = SecurityKey(
        user_id=user_id,
        name=name,
        credential_id=new.credential_id,
        public_key=new.public_key,
        sign_count=new.sign_count,
        aaguid=new.aaguid,
        transports=list(new.transports),
        created_at=now,
    )
    try:
        with transaction.atomic():
            key.save(force_insert=True)
    except IntegrityError as error:
        raise KeyKnown from error
    return key


@transaction.atomic
def rename_key(*, user_id: UUID, key_id: UUID, name: str, now: datetime) -> KeyView:
    """Calls the key something else. Raises NotFound."""
    lock_user(user_id=user_id)
    key = get_key(user_id=user_id, key_id=key_id)
    key.name = name
    key.save(update_fields=["name"])
    # Without the names: people call keys after themselves, and audit rows outlive them.
    notices.audit(actor=user_id, user_id=user_id, action="key_renamed", now=now, after={"key": str(key_id)})
    return view_key(key)


@transaction.atomic
def remove_key(*, user_id: UUID, key_id: UUID, now: datetime) -> None:
    """Ends the key. Raises NotFound, and LastFactorOfStaff."""
    user = lock_user(user_id=user_id)
    key = get_key(user_id=user_id, key_id=key_id)
    key.delete()
    removal.finish_removal(user=user, action="key_removed", what=f"the security key “{key.name}”", now=now)
