"""Reading what people have set up."""

from collections.abc import Collection
from uuid import UUID

from apps.accounts.selectors import get_user
from apps.common.errors import NotFound
from apps.mfa.models import RecoveryCode, SecurityKey, TotpDevice
from apps.mfa.types import FactorsView, KeyView


def has_second_factor(*, user_id: UUID) -> bool:
    """Whether signing in asks this person for a second factor."""
    return bool(list_protected(user_ids=[user_id]))


def list_protected(*, user_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of the given people who have a second factor, in one query."""
    devices = TotpDevice.objects.filter(user_id__in=user_ids, confirmed_at__isnull=False).values_list("user_id")
    keys = SecurityKey.objects.filter(user_id__in=user_ids).values_list("user_id")
    return frozenset(row[0] for row in devices.union(keys))


def count_recovery_codes(*, user_id: UUID) -> int:
    """How many recovery codes are left."""
    return RecoveryCode.objects.filter(user_id=user_id, used_at__isnull=True).count()


def view_key(key: SecurityKey) -> KeyView:
    """The key as its owner sees it."""
    return KeyView(id=key.id, name=key.name, created_at=key.created_at, last_used_at=key.last_used_at)


def get_key(*, user_id: UUID, key_id: UUID) -> SecurityKey:
    """A key of this person; raises NotFound, also for another person's."""
    key = SecurityKey.objects.filter(user_id=user_id, id=key_id).first()
    if key is None:
        raise NotFound
    return key


def get_factors(*, user_id: UUID) -> FactorsView:
    """Everything that the person has set up; raises NotFound."""
    user = get_user(user_id=user_id)
    device = TotpDevice.objects.filter(user_id=user_id).first()
    keys = SecurityKey.objects.filter(user_id=user_id).order_by("id")
    return FactorsView(
        is_required=user.is_staff,
        totp_confirmed_at=device.confirmed_at if device else None,
        recovery_codes_left=count_recovery_codes(user_id=user_id),
        security_keys=tuple(view_key(key) for key in keys),
    )
