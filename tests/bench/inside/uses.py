"""A client that meters use in batches: each batch is priced and settled for one account in one transaction."""

from collections.abc import Callable, Iterator
from functools import partial

from apps.billing.cost_types import MeteredUse
from apps.billing.services.metering import record_batch
from apps.billing.types import Meter
from apps.common import clock
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId, tenant_scope
from tests.bench.inside.calls import MODEL, USED
from tests.bench.inside.client import parse_arguments, run
from tests.bench.inside.debits import load_credits


def main() -> None:
    """Batches of `size` uses on the accounts of its part of the list, as many as the time allows."""
    arguments = parse_arguments("first", "count", "size", "seconds")
    given = load_credits("bench_many", first=arguments.first, count=arguments.count)
    run(list_batches([tenant for tenant, _ in given], size=arguments.size), seconds=arguments.seconds)


def list_batches(tenants: list[TenantId], *, size: int) -> Iterator[Callable[[], int]]:
    """One act for each account of the list."""
    return (partial(meter, tenant, size=size) for tenant in tenants)


def meter(tenant: TenantId, *, size: int) -> int:
    """One transaction with `size` uses that are all new."""
    now = clock.now()
    uses = [
        MeteredUse(meter=Meter.LLM_TOKENS, key=str(uuid7()), occurred_at=now, usage=USED, model=MODEL, duration_ms=900)
        for _ in range(size)
    ]
    with tenant_scope(tenant):
        record_batch(tenant=tenant, uses=uses, now=now)
    return size


if __name__ == "__main__":
    main()
