"""A client that spends as a model call does: a quote and a hold in one transaction, the settlement in a second one."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from django.db import transaction

from apps.billing.services.holds import place_hold
from apps.billing.services.pricing import quote_call
from apps.billing.services.settlement import settle_hold
from apps.billing.types import TokenUsage
from apps.common import clock
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId, tenant_scope
from tests.bench.inside.client import parse_arguments, run
from tests.bench.inside.debits import load_credits

MODEL = "builtin-writer-1"
AT_MOST = TokenUsage(input=200, output=100)
USED = TokenUsage(input=120, output=40)
LEASE = timedelta(minutes=3)


def main() -> None:
    """Spends on the accounts of its part of the list, as many times as the time allows."""
    arguments = parse_arguments("first", "count", "seconds")
    given = load_credits("bench_many", first=arguments.first, count=arguments.count)
    run(list_calls([tenant for tenant, _ in given]), seconds=arguments.seconds)


def list_calls(tenants: list[TenantId]) -> Iterator[Callable[[], int]]:
    return (partial(spend, tenant) for tenant in tenants)


def spend(tenant: TenantId) -> int:
    """Two commits, as around a real call."""
    with tenant_scope(tenant):
        now = clock.now()
        with transaction.atomic():
            quote = quote_call(tenant=tenant, model=MODEL, at_most=AT_MOST, at=now)
            hold = place_hold(
                tenant=tenant,
                operation_key=str(uuid7()),
                quote=quote,
                job_id=uuid7(),
                call_id=uuid7(),
                now=now,
                lease=LEASE,
            )
        with transaction.atomic():
            settle_hold(
                tenant=tenant,
                hold_id=hold.id,
                usage=USED,
                occurred_at=now,
                provider_request_id="bench",
                duration_ms=900,
                now=clock.now(),
            )
    return 1


if __name__ == "__main__":
    main()
