"""A client that posts debits: `first` and `count` are its part of the numbered credits."""

from collections.abc import Callable, Iterator
from functools import partial
from uuid import UUID

from django.db import connection, transaction

from apps.billing.services.ledger import EntryDraft, post_entry
from apps.billing.types import EntryKind
from apps.common import clock
from apps.common.tenancy import SystemScope, TenantId, system_scope, tenant_scope
from tests.bench.inside.client import parse_arguments, run
from tests.bench.inside.seed import CREDIT_MICROS


def main() -> None:
    """Expires credits one by one, each in a transaction of its own."""
    arguments = parse_arguments("is_hot", "first", "count", "seconds")
    table = "bench_hot" if arguments.is_hot else "bench_many"
    run(list_debits(table, first=arguments.first, count=arguments.count), seconds=arguments.seconds)


def list_debits(table: str, *, first: int, count: int) -> Iterator[Callable[[], int]]:
    """One act for each credit."""
    given = load_credits(table, first=first, count=count)
    return (partial(expire, tenant, entry) for tenant, entry in given)


def load_credits(table: str, *, first: int, count: int) -> list[tuple[TenantId, UUID]]:
    """Numbered credits. Leaves the connection open, as a running service has it."""
    with system_scope(SystemScope.COMMAND), connection.cursor() as cursor:
        query = f"SELECT tenant_id, entry_id FROM {table} WHERE n >= %s AND n < %s ORDER BY n"  # noqa: S608 - one of our own two names
        cursor.execute(query, [first, first + count])
        return cursor.fetchall()


def expire(tenant: TenantId, entry: UUID) -> int:
    """The whole unit of work: scope, transaction, entry."""
    with tenant_scope(tenant), transaction.atomic():
        post_entry(tenant=tenant, draft=draft_expiry(entry), now=clock.now())
    return 1


def draft_expiry(entry: UUID) -> EntryDraft:
    return EntryDraft(
        kind=EntryKind.CREDIT_EXPIRY,
        amount_micros=-CREDIT_MICROS,
        idempotency_key=f"expiry:{entry}",
        description="Bench",
        expired_entry_id=entry,
    )


if __name__ == "__main__":
    main()
