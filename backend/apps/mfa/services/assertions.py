"""Whether a registered security key has signed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.mfa import gateways
from apps.mfa.gateways import KnownKey
from apps.mfa.models import SecurityKey
from apps.mfa.refusals import BadKey
from apps.mfa.services import notices


def list_known_keys(*, user_id: UUID) -> list[KnownKey]:
    """The person's keys, as far as asking and checking need them."""
    return [
        KnownKey(
            credential_id=bytes(key.credential_id), public_key=bytes(key.public_key), transports=tuple(key.transports)
        )
        for key in SecurityKey.objects.filter(user_id=user_id).order_by("id")
    ]


def take_assertion(*, user_id: UUID, state: Mapping[str, Any], answer: Mapping[str, Any], now: datetime) -> bool:
    """Whether one of the person's keys has signed what `state` asked for; moves its counter on.

    A counter that does not grow belongs to a copy of the key (WebAuthn, 7.2 step 22): False, with a row in the audit.
    """
    keys = list_known_keys(user_id=user_id)
    try:
        assertion = gateways.read_assertion(user_id=user_id, state=state, keys=keys, answer=answer)
    except BadKey:
        return False
    key = SecurityKey.objects.filter(user_id=user_id, credential_id=assertion.credential_id)
    # Keys without a counter say zero for ever.
    grows = Q(sign_count__lt=assertion.sign_count)
    if assertion.sign_count == 0:
        grows = Q(sign_count=0)
    if key.filter(grows).update(sign_count=assertion.sign_count, last_used_at=now):
        return True
    row = key.first()
    if row is not None:
        notices.audit(
            actor=None,
            user_id=user_id,
            action="key_refused",
            now=now,
            before={"key": str(row.id), "sign_count": row.sign_count},
            after={"sign_count": assertion.sign_count},
            reason="The counter of the security key did not grow: there may be a copy of it.",
        )
    return False
