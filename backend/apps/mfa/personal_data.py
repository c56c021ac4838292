"""What a person proves themselves with: read for their export without the secrets, deleted at their erasure."""

from typing import Any
from uuid import UUID

from django.db import transaction

from apps.mfa.models import Challenge, RecoveryCode, SecurityKey, TotpDevice


def list_factors(*, user_id: UUID) -> list[dict[str, Any]]:
    """The person's second factors, and nothing of what they consist of."""
    apps = TotpDevice.objects.filter(user_id=user_id).exclude(confirmed_at=None)
    keys = SecurityKey.objects.filter(user_id=user_id).order_by("id")
    return [
        *({"kind": "authenticator_app", "since": row.confirmed_at} for row in apps),
        *(
            {"kind": "security_key", "name": row.name, "since": row.created_at, "last_used_at": row.last_used_at}
            for row in keys
        ),
    ]


@transaction.atomic
def forget_user(*, user_id: UUID) -> int:
    """Deletes every factor of the person and what stands in for one; how many factors there were."""
    RecoveryCode.objects.filter(user_id=user_id).delete()
    Challenge.objects.filter(user_id=user_id).delete()
    keys: int = SecurityKey.objects.filter(user_id=user_id).delete()[0]
    apps: int = TotpDevice.objects.filter(user_id=user_id).delete()[0]
    return keys + apps
