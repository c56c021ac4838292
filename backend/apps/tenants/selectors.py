"""Reading people and the tenants that they belong to."""

import json
from datetime import datetime
from uuid import UUID

from django.db import connection

from apps.accounts.services.tokens import digest_key
from apps.accounts.types import TokenKind
from apps.common.errors import NotFound
from apps.common.tenancy import TenantId
from apps.tenants.models import Profile, Tenant
from apps.tenants.types import Bearer, Member, Role


def _view(profile: Profile) -> Member:
    return Member(
        user_id=profile.user_id,
        username=profile.user.username,
        email=profile.user.email,
        display_name=profile.user.display_name,
        is_staff=profile.user.is_staff,
        tenant=TenantId(profile.tenant_id),
        tenant_name=profile.tenant.name,
        role=Role(profile.role),
        time_zone=profile.time_zone,
        settings=profile.settings,
        created_at=profile.created_at,
    )


def find_member(*, user_id: UUID) -> Member | None:
    """The person in the one tenant that they belong to, or None."""
    profile = Profile.objects.select_related("user", "tenant").filter(user_id=user_id).first()
    return None if profile is None else _view(profile)


def get_member(*, tenant: TenantId, user_id: UUID) -> Member:
    """The person in the given tenant; raises NotFound."""
    member = find_member(user_id=user_id)
    if member is None or member.tenant != tenant:
        raise NotFound
    return member


# Every request with a token asks this. Plain SQL, because the ORM takes longer to build the query than it takes to run.
_BEARER = """
    SELECT u.id, u.username, u.email, u.display_name, u.is_staff, t.id, t.name,
           p.role, p.time_zone, p.settings, p.created_at,
           k.public_id, k.last_used_at, k.kind, k.scopes, k.authenticated_at, k.second_factor_at
    FROM accounts_apitoken k
    JOIN accounts_user u ON u.id = k.user_id
    JOIN tenants_profile p ON p.user_id = u.id
    JOIN tenants_tenant t ON t.id = p.tenant_id
    WHERE k.digest = %s AND u.is_active AND (k.expiry IS NULL OR k.expiry > %s)
"""


def find_bearer(*, key: str, now: datetime) -> Bearer | None:
    """Who carries the token `key`: one query by its digest. None for an unknown, expired or closed one."""
    with connection.cursor() as cursor:
        cursor.execute(_BEARER, [digest_key(key), now])
        row = cursor.fetchone()
    if row is None:
        return None
    user_id, username, email, display_name, is_staff, tenant, tenant_name, role, time_zone, settings, created_at = row[
        :11
    ]
    token_id, last_used_at, kind, scopes, authenticated_at, second_factor_at = row[11:]
    member = Member(
        user_id=user_id,
        username=username,
        email=email,
        display_name=display_name,
        is_staff=is_staff,
        tenant=TenantId(tenant),
        tenant_name=tenant_name,
        role=Role(role),
        time_zone=time_zone,
        settings=json.loads(settings),
        created_at=created_at,
    )
    return Bearer(
        member=member,
        token_id=token_id,
        token_last_used_at=last_used_at,
        kind=TokenKind(kind),
        scopes=scopes,
        authenticated_at=authenticated_at,
        second_factor_at=second_factor_at,
    )


def has_tenant(*, tenant: TenantId) -> bool:
    """Whether there is such a customer."""
    return Tenant.objects.filter(id=tenant).exists()
