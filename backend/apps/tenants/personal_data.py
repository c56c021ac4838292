"""What a person has in this app: read for their export, forgotten at their erasure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet

from apps.common.tenancy import TenantId
from apps.tenants.models import Profile, SupportGrant, Tenant
from apps.tenants.types import Role

_FORGOTTEN: Final = "Deleted account"


def get_membership(*, tenant: TenantId, user_id: UUID) -> dict[str, Any]:
    """The person's place in the tenant, and their settings."""
    profile = Profile.objects.select_related("tenant").get(tenant_id=tenant, user_id=user_id)
    return {
        "tenant": {"id": profile.tenant.id, "name": profile.tenant.name, "created_at": profile.tenant.created_at},
        "role": profile.role,
        "time_zone": profile.time_zone,
        "settings": profile.settings,
        "joined_at": profile.created_at,
    }


def list_people(*, tenant: TenantId) -> list[UUID]:
    """Everybody who has a profile in the tenant, forgotten or not, the longest there first."""
    return list(Profile.objects.filter(tenant_id=tenant).order_by("created_at", "id").values_list("user_id", flat=True))


def list_others(*, tenant: TenantId, user_id: UUID) -> list[UUID]:
    """The other people of the tenant whose accounts are open, the longest there first."""
    return list(_others(tenant, user_id).order_by("created_at", "id").values_list("user_id", flat=True))


def list_other_owners(*, tenant: TenantId, user_id: UUID) -> list[UUID]:
    """Those of them who are owners."""
    owners = _others(tenant, user_id).filter(role=Role.OWNER)
    return list(owners.order_by("created_at", "id").values_list("user_id", flat=True))


def _others(tenant: TenantId, user_id: UUID) -> QuerySet[Profile]:
    return Profile.objects.filter(tenant_id=tenant, user__is_active=True).exclude(user_id=user_id)


def make_owner(*, tenant: TenantId, user_id: UUID) -> None:
    """Gives a member the tenant that its last owner leaves behind."""
    Profile.objects.filter(tenant_id=tenant, user_id=user_id).update(role=Role.OWNER)


@transaction.atomic
def forget_membership(*, tenant: TenantId, user_id: UUID) -> None:
    """Takes the person's settings. The profile itself stays, so that the id still belongs somewhere. Idempotent."""
    profiles = Profile.objects.filter(tenant_id=tenant, user_id=user_id)
    profiles.update(settings={}, time_zone="UTC")
    if list_other_owners(tenant=tenant, user_id=user_id):
        profiles.update(role=Role.MEMBER)
    kind = ContentType.objects.get_for_model(Profile)
    LogEntry.objects.filter(content_type=kind, object_id__in=[str(row.pk) for row in profiles]).update(
        object_repr=_FORGOTTEN, change_message=""
    )


def iter_grants(*, user_id: UUID) -> Iterator[dict[str, Any]]:
    """The person's support grants with each look that staff took by them."""
    grants = SupportGrant.objects.filter(granted_by_id=user_id).prefetch_related("accesses").order_by("id")
    for grant in grants.iterator(chunk_size=100):
        yield {
            "id": grant.id,
            "reason": grant.reason,
            "scopes": grant.scopes,
            "created_at": grant.created_at,
            "expires_at": grant.expires_at,
            "revoked_at": grant.revoked_at,
            "accesses": [
                {"at": access.at, "staff_id": access.staff_id, "method": access.method, "path": access.path}
                for access in sorted(grant.accesses.all(), key=lambda access: access.at)
            ],
        }


@transaction.atomic
def close_grants(*, tenant: TenantId, user_id: UUID | None, now: datetime) -> int:
    """Ends the support grants of a person, or of everybody, and takes their reasons; how many had one."""
    grants = SupportGrant.objects.filter(tenant_id=tenant)
    if user_id is not None:
        grants = grants.filter(granted_by_id=user_id)
    grants.filter(revoked_at=None, expires_at__gt=now).update(revoked_at=now)
    return grants.exclude(reason="").update(reason="")


@transaction.atomic
def forget_tenant(*, tenant: TenantId) -> None:
    """Takes the name of a tenant whose last person is gone. Idempotent."""
    Tenant.objects.filter(id=tenant).update(name=f"{_FORGOTTEN} {tenant.hex[-12:]}")
    kind = ContentType.objects.get_for_model(Tenant)
    LogEntry.objects.filter(content_type=kind, object_id=str(tenant)).update(object_repr=_FORGOTTEN, change_message="")
