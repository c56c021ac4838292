"""What is written on passkeys about the people of a tenant: blanked at their erasure."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.common.db import erasing
from apps.common.tenancy import TenantId
from apps.invitations.models import InvitePasskey


@transaction.atomic
def blank_passkeys(*, user_id: UUID) -> int:
    """Takes address and note from the key that the person came with, and the notes that they wrote; how many had any.

    An unused key that they made stays bound to its address: without it, it would be anybody's.
    """
    with erasing():
        used = InvitePasskey.objects.filter(used_by_id=user_id).exclude(bound_email="", note="")
        made = InvitePasskey.objects.filter(created_by_id=user_id).exclude(note="")
        return used.update(bound_email="", note="") + made.update(note="")


@transaction.atomic
def close_tenant_keys(*, tenant: TenantId, now: datetime) -> int:
    """Withdraws every unused key to a tenant of which nobody is left, and takes what is written on all of them."""
    keys = InvitePasskey.objects.filter(tenant_id=tenant)
    keys.filter(used_at=None, revoked_at=None).update(revoked_at=now)
    with erasing():
        return keys.filter(~Q(bound_email="") | ~Q(note="")).update(bound_email="", note="")
