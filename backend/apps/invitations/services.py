"""Making, spending and withdrawing invite passkeys."""

import hashlib
import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from apps.common.db import require_transaction
from apps.common.errors import Conflict, Invalid, NotFound
from apps.common.money import MAX_ABS_MICROS
from apps.common.tenancy import TenantId
from apps.invitations.models import InvitePasskey
from apps.invitations.selectors import check_can_manage_passkeys, get_state, match_state, view_passkey
from apps.invitations.types import PasskeyState, PasskeyView, RedeemedPasskey
from apps.observability.services import record_audit
from apps.tenants.selectors import has_tenant
from apps.tenants.selectors.members import check_is_owner
from apps.tenants.services.members import hold_membership
from apps.tenants.types import Actor, Role

# 24 random bytes are 192 bits; the prefix shows 36 of them, which leaves more than the 128 that the product promises.
_RANDOM_BYTES: Final = 24
_PREFIX_LENGTH: Final = 10


class PasskeyInvalid(Invalid):
    code = "passkey_invalid"
    message = "This invite passkey is not valid."


class PasskeyExpired(Invalid):
    code = "passkey_expired"
    message = "This invite passkey has expired."


class PasskeyUsed(Invalid):
    code = "passkey_used"
    message = "Passkey has already been used"


class PasskeyRevoked(Invalid):
    code = "passkey_revoked"
    message = "This invite passkey has been revoked."


class PasskeyWrongEmail(Invalid):
    code = "passkey_wrong_email"
    message = "This invite passkey was made for another e-mail address."


class PasskeyMadeAlready(Conflict):
    code = "made_already"
    message = "An invite passkey was made under this key before. It was shown then and cannot be shown again."


class PasskeySpent(Conflict):
    code = "wrong_state"
    message = "This invite passkey has been used or revoked already."


def digest_passkey(raw: str) -> str:
    """What is stored of a key. Its 192 random bits need no slow hash."""
    return hashlib.sha256(raw.encode()).hexdigest()


def create_passkey(
    *,
    actor: Actor | None,
    note: str = "",
    expires_at: datetime | None = None,
    bound_email: str = "",
    promo_credit_micros: int = 0,
    tenant: TenantId | None = None,
    role: Role | None = None,
    operation_key: str = "",
    now: datetime,
) -> tuple[PasskeyView, str]:
    """Makes a key and returns it with its raw text, which exists nowhere else.

    `actor` None is the system (a command). `tenant` needs `role` and the reverse. An `operation_key` makes one key
    however often it is given. Raises Invalid, Forbidden, PasskeyMadeAlready.
    """
    if actor is not None:
        check_can_manage_passkeys(actor)
    return _make_passkey(
        maker=actor.user_id if actor else None,
        note=note,
        expires_at=expires_at,
        bound_email=bound_email,
        promo_credit_micros=promo_credit_micros,
        tenant=tenant,
        role=role,
        operation_key=operation_key,
        now=now,
    )


@transaction.atomic
def create_tenant_passkey(
    *,
    actor: Actor,
    role: Role = Role.MEMBER,
    note: str = "",
    expires_at: datetime | None = None,
    bound_email: str = "",
    now: datetime,
) -> tuple[PasskeyView, str]:
    """An owner's key into their own tenant, which brings no credit. Raises Invalid, OwnersOnly."""
    check_is_owner(hold_membership(actor=actor))
    return _make_passkey(
        maker=actor.user_id,
        note=note,
        expires_at=expires_at,
        bound_email=bound_email,
        promo_credit_micros=0,
        tenant=actor.tenant,
        role=role,
        now=now,
    )


@transaction.atomic
def _make_passkey(
    *,
    maker: UUID | None,
    note: str,
    expires_at: datetime | None,
    bound_email: str,
    promo_credit_micros: int,
    tenant: TenantId | None,
    role: Role | None,
    operation_key: str = "",
    now: datetime,
) -> tuple[PasskeyView, str]:
    check_terms(
        expires_at=expires_at,
        bound_email=bound_email,
        promo_credit_micros=promo_credit_micros,
        tenant=tenant,
        role=role,
        now=now,
    )
    raw = f"inv_{secrets.token_urlsafe(_RANDOM_BYTES)}"
    passkey = InvitePasskey(
        digest=digest_passkey(raw),
        prefix=raw[:_PREFIX_LENGTH],
        note=note,
        expires_at=expires_at,
        bound_email=bound_email.strip().lower(),
        promo_credit_micros=promo_credit_micros,
        tenant_id=tenant,
        role=role or "",
        created_by_id=maker,
        created_at=now,
        operation_key=operation_key or None,
    )
    _insert(passkey)
    terms: dict[str, object] = {"promo_credit_micros": promo_credit_micros, "role": role.value if role else None}
    _audit("passkey.created", passkey, maker, now, after=terms)
    return view_passkey(passkey=passkey, now=now), raw


def _insert(passkey: InvitePasskey) -> None:
    try:
        with transaction.atomic():
            passkey.save(force_insert=True)
    except IntegrityError as error:
        if "operation_key" not in str(getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")):
            raise
        raise PasskeyMadeAlready from error


def check_terms(
    *,
    expires_at: datetime | None,
    bound_email: str,
    promo_credit_micros: int,
    tenant: TenantId | None,
    role: Role | None,
    now: datetime,
) -> None:
    """Raises Invalid with every term of a new key that makes no sense."""
    fields: dict[str, list[str]] = {}
    if expires_at is not None and expires_at <= now:
        fields["expires_at"] = ["Choose a time in the future."]
    if not 0 <= promo_credit_micros <= MAX_ABS_MICROS:
        fields["promo_credit_cents"] = ["Choose an amount from zero to a billion dollars."]
    if (tenant is None) != (role is None):
        fields["role"] = ["A tenant to join needs a role, and a role needs a tenant."]
    if tenant is not None and not has_tenant(tenant=tenant):
        fields["tenant"] = ["There is no such tenant."]
    try:
        if bound_email:
            validate_email(bound_email.strip())
    except ValidationError:
        fields["bound_email"] = ["Enter a valid e-mail address."]
    if fields:
        raise Invalid(fields=fields)


def redeem_passkey(*, raw: str, email: str, user_id: UUID, now: datetime) -> RedeemedPasskey:
    """Spends the key for the person `user_id`, inside the caller's transaction: if that fails, the key stays good.

    One conditional UPDATE decides, so that of many who try at once one wins. The person may be inserted later in the
    transaction. Raises PasskeyInvalid, PasskeyUsed, PasskeyRevoked, PasskeyExpired or PasskeyWrongEmail.
    """
    require_transaction()
    keys = InvitePasskey.objects.filter(digest=digest_passkey(raw.strip()))
    for_this_address = Q(bound_email="") | Q(bound_email=email.strip().lower())
    spent = keys.filter(match_state(state=PasskeyState.ACTIVE, now=now), for_this_address)
    if not spent.update(used_by_id=user_id, used_at=now):
        raise _explain_refusal(keys.first(), now)
    passkey = keys.get()
    _audit("passkey.used", passkey, user_id, now)
    return RedeemedPasskey(
        id=passkey.id,
        promo_credit_micros=passkey.promo_credit_micros,
        tenant=TenantId(passkey.tenant_id) if passkey.tenant_id else None,
        role=Role(passkey.role) if passkey.role else None,
    )


def _explain_refusal(passkey: InvitePasskey | None, now: datetime) -> Invalid:
    if passkey is None:
        return PasskeyInvalid()
    refusals: dict[PasskeyState, type[Invalid]] = {
        PasskeyState.USED: PasskeyUsed,
        PasskeyState.REVOKED: PasskeyRevoked,
        PasskeyState.EXPIRED: PasskeyExpired,
    }
    return refusals.get(get_state(passkey=passkey, now=now), PasskeyWrongEmail)()


def revoke_passkey(*, actor: Actor, passkey_id: UUID, now: datetime) -> PasskeyView:
    """Withdraws a key that nobody has used; raises NotFound, PasskeySpent, Forbidden."""
    check_can_manage_passkeys(actor)
    return _revoke(InvitePasskey.objects.filter(id=passkey_id), actor=actor, now=now)


def revoke_tenant_passkey(*, actor: Actor, passkey_id: UUID, now: datetime) -> PasskeyView:
    """The same for an owner and a key into their own tenant, whoever made it; raises OwnersOnly for others."""
    check_is_owner(actor)
    keys = InvitePasskey.objects.filter(id=passkey_id, tenant_id=actor.tenant)
    return _revoke(keys, actor=actor, now=now)


@transaction.atomic
def _revoke(keys: QuerySet[InvitePasskey], *, actor: Actor, now: datetime) -> PasskeyView:
    revoked = keys.filter(used_at__isnull=True, revoked_at__isnull=True).update(revoked_at=now)
    passkey = keys.select_related("created_by", "tenant").first()
    if passkey is None:
        raise NotFound
    if not revoked:
        raise PasskeySpent
    _audit("passkey.revoked", passkey, actor.user_id, now)
    return view_passkey(passkey=passkey, now=now)


def revoke_passkeys_of(*, tenant: TenantId, user_id: UUID, actor: UUID | None, now: datetime) -> int:
    """Withdraws every open key into the tenant that the person made, who has no say there any more."""
    require_transaction()
    made = InvitePasskey.objects.filter(tenant_id=tenant, created_by_id=user_id)
    open_keys = list(made.filter(used_at__isnull=True, revoked_at__isnull=True).select_for_update().order_by("id"))
    InvitePasskey.objects.filter(id__in=[key.id for key in open_keys]).update(revoked_at=now)
    for key in open_keys:
        _audit("passkey.revoked", key, actor, now)
    return len(open_keys)


def _audit(
    action: str, passkey: InvitePasskey, actor: UUID | None, now: datetime, *, after: dict[str, object] | None = None
) -> None:
    record_audit(
        tenant=passkey.tenant_id,
        actor=actor,
        action=action,
        target_kind="passkey",
        target_id=passkey.id,
        now=now,
        after={"prefix": passkey.prefix, **(after or {})},
    )
