"""Charging what lies in the storage, once a day."""

import calendar
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from fractions import Fraction
from typing import Final

import structlog
from django.db.models import Sum

from apps.billing.services.metering import record_use
from apps.billing.types import MAX_QUANTITY, IdempotencyMismatch, Meter
from apps.common.errors import DomainError
from apps.common.money import round_half_up
from apps.common.tenancy import SystemScope, TenantId, system_scope, tenant_scope
from apps.orchestration.models import DataExport

_log = structlog.get_logger(__name__)

BYTES_PER_GB: Final = 10**9
# A storage line counts millionths of a gigabyte for a month (`apps.billing.types.METER_UNITS`).
_PARTS: Final = 10**6


def meter_storage(*, now: datetime) -> int:
    """Charges each tenant one day (UTC) of what it has stored now; returns how many tenants had anything.

    A day is metered once for a tenant. Raises the last error, after every tenant has had its turn, so that the day is
    tried again for those that are still to be metered.
    """
    day, failed = now.astimezone(UTC).date(), None
    stored = _sum_stored()
    for tenant, size in stored.items():
        try:
            _meter_day(tenant=tenant, size=size, day=day, now=now)
        except DomainError as error:
            _log.warning("storage.not_metered", tenant=str(tenant), bytes=size, exc_info=True)
            failed = error
    if failed is not None:
        raise failed
    return len(stored)


def _meter_day(*, tenant: TenantId, size: int, day: date, now: datetime) -> None:
    quantity = count_storage(size_bytes=size, day=day)
    if not quantity:
        return
    try:
        with tenant_scope(tenant):
            record_use(
                tenant=tenant,
                meter=Meter.STORAGE,
                quantity=quantity,
                occurred_at=datetime.combine(day, time.min, tzinfo=UTC),
                key=day.isoformat(),
                now=now,
            )
    except IdempotencyMismatch:
        # Something was stored or removed since the day was metered: its first count stands.
        return


def count_storage(*, size_bytes: int, day: date) -> int:
    """One day of so many bytes, in millionths of a GB-month, rounded half up once."""
    days = calendar.monthrange(day.year, day.month)[1]
    return min(MAX_QUANTITY, round_half_up(Fraction(size_bytes * _PARTS, BYTES_PER_GB * days)))


@system_scope(SystemScope.METRICS)
def _sum_stored() -> Mapping[TenantId, int]:
    """Bytes of files that lie in the storage, by tenant."""
    rows = DataExport.objects.filter(purged_at=None, size_bytes__gt=0).exclude(key="")
    sums = rows.values("tenant_id").annotate(size=Sum("size_bytes")).order_by("tenant_id")
    return {TenantId(row["tenant_id"]): int(row["size"]) for row in sums}
