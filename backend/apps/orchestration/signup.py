"""Coming into the house: by invite passkey, or made by staff. One transaction each, so that nothing is half done."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.services import users
from apps.accounts.services.emails import queue_verification
from apps.billing.services import accounts as reserve_accounts
from apps.billing.services.credits import grant_promo_credit
from apps.common.errors import Forbidden
from apps.common.ids import TenantId, uuid7
from apps.common.tenancy import SystemScope, system_scope
from apps.invitations.services import redeem_passkey
from apps.invitations.types import RedeemedPasskey
from apps.observability.services import record_audit, record_event
from apps.tenants.selectors import get_member
from apps.tenants.services import add_member, create_tenant
from apps.tenants.types import Actor, Member, Role


def sign_up(*, username: str, email: str, password: str, passkey: str, now: datetime) -> Member:
    """Spends the passkey and makes the person with tenant, profile and reserve account.

    The key is judged before name and address are compared with those in use, so only who holds a good key can learn
    that one is taken; and then the key stays good. Raises Invalid and the errors of `redeem_passkey`.
    """
    users.check_new_user(username=username, email=email, password=password)
    user_id = uuid7()
    with system_scope(SystemScope.SIGN_UP), transaction.atomic():
        redeemed = redeem_passkey(raw=passkey, email=email, user_id=user_id, now=now)
        users.create_user(user_id=user_id, username=username, email=email, password=password, now=now)
        tenant = redeemed.tenant or open_tenant(name=username, now=now)
        add_member(tenant=tenant, user_id=user_id, role=redeemed.role or Role.OWNER, now=now)
        _grant_credit(tenant, redeemed, now)
        _record_arrival(tenant, user_id, username, actor=user_id, now=now)
        queue_verification(user_id=user_id, now=now)
        return get_member(tenant=tenant, user_id=user_id)


def create_person(
    *,
    actor: Actor | None,
    username: str,
    email: str,
    password: str,
    tenant_name: str = "",
    is_staff: bool = False,
    is_superuser: bool = False,
    now: datetime,
) -> Member:
    """Makes a person with a tenant of their own, without a passkey. `actor` is staff, or None for the system."""
    if actor is not None and not actor.is_staff:
        raise Forbidden
    user_id = uuid7()
    with system_scope(SystemScope.SIGN_UP), transaction.atomic():
        users.create_user(
            user_id=user_id,
            username=username,
            email=email,
            password=password,
            is_staff=is_staff,
            is_superuser=is_superuser,
            now=now,
        )
        tenant = open_tenant(name=tenant_name or username, now=now)
        add_member(tenant=tenant, user_id=user_id, role=Role.OWNER, now=now)
        _record_arrival(tenant, user_id, username, actor=actor.user_id if actor else None, now=now)
        return get_member(tenant=tenant, user_id=user_id)


def open_tenant(*, name: str, now: datetime) -> TenantId:
    """A new customer with an empty reserve, and nobody in it yet."""
    tenant = create_tenant(name=name, now=now)
    reserve_accounts.open_account(tenant=tenant, now=now)
    return tenant


def _grant_credit(tenant: TenantId, redeemed: RedeemedPasskey, now: datetime) -> None:
    if redeemed.promo_credit_micros:
        grant_promo_credit(
            tenant=tenant,
            amount_micros=redeemed.promo_credit_micros,
            source=redeemed.id,
            description="Credit that came with the invite passkey",
            now=now,
        )


def _record_arrival(tenant: TenantId, user_id: UUID, username: str, *, actor: UUID | None, now: datetime) -> None:
    record_event(
        tenant=tenant,
        subject_kind="user",
        subject_id=user_id,
        name="user.created",
        message=f"{username} joined.",
        now=now,
    )
    record_audit(
        tenant=tenant,
        actor=actor,
        action="user.created",
        target_kind="user",
        target_id=user_id,
        now=now,
        after={"username": username},
    )
