"""Who carries a token: what every request asks first."""

import json
from datetime import datetime

from django.db import connection

from apps.accounts.services.tokens import digest_key, is_idle
from apps.accounts.types import TokenKind
from apps.common.tenancy import SystemScope, TenantId, system_scope
from apps.tenants.types import Bearer, Member, Role

# Every request with a token asks this. Plain SQL, because the ORM takes longer to build the query than it takes to run.
_BEARER = """
    SELECT u.id, u.username, u.email, u.display_name, u.email_verified_at IS NOT NULL, u.pending_email, u.is_staff,
           t.id, t.name, p.role, p.time_zone, p.settings, p.created_at,
           k.public_id, k.last_used_at, k.kind, k.scopes, k.authenticated_at, k.second_factor_at
    FROM accounts_apitoken k
    JOIN accounts_user u ON u.id = k.user_id
    JOIN tenants_profile p ON p.user_id = u.id
    JOIN tenants_tenant t ON t.id = p.tenant_id
    WHERE k.digest = %s AND u.is_active AND (k.expiry IS NULL OR k.expiry > %s)
"""


def find_bearer(*, key: str, now: datetime) -> Bearer | None:
    """Who carries the token `key`: one query by its digest. None for an unknown, expired, idle or closed one."""
    with system_scope(SystemScope.AUTHENTICATION), connection.cursor() as cursor:
        cursor.execute(_BEARER, [digest_key(key), now])
        row = cursor.fetchone()
    if row is None:
        return None
    user_id, username, email, display_name, is_email_verified, pending_email, is_staff = row[:7]
    tenant, tenant_name, role, time_zone, settings, created_at = row[7:13]
    token_id, last_used_at, kind, scopes, authenticated_at, second_factor_at = row[13:]
    if kind == TokenKind.SESSION and is_idle(last_used_at=last_used_at, now=now):
        return None
    member = Member(
        user_id=user_id,
        username=username,
        email=email,
        display_name=display_name,
        is_email_verified=is_email_verified,
        pending_email=pending_email,
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
