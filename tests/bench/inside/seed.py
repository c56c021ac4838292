"""Makes the accounts of P3: many with a few credits each, and one with very many.

Every debit of the bench is the expiry of one of these credits (`credit_expiry`): the kind of debit that needs nothing
beside its entry. The lists `bench_many` and `bench_hot` number the credits in the order in which clients take them.
"""

import random
from uuid import UUID

from django.db import connection, transaction

from apps.billing.services.accounts import open_account
from apps.billing.services.ledger import EntryDraft, post_batch
from apps.billing.services.seed import publish_example_rate_cards
from apps.billing.types import EntryKind
from apps.common import clock
from apps.common.ids import uuid7
from apps.common.tenancy import SystemScope, TenantId, system_scope
from apps.tenants.services import create_tenant
from tests.bench.inside.client import parse_arguments

CREDIT_MICROS = 1_000
ACCOUNTS_AT_ONCE = 50
CREDITS_AT_ONCE = 1_000


def main() -> None:
    """Seeds for `accounts` with `credits` each, and one account with `hot` credits."""
    arguments = parse_arguments("accounts", "credits", "hot")
    with system_scope(SystemScope.COMMAND):
        publish_example_rate_cards(now=clock.now())
        many = _make_accounts(arguments.accounts)
        hot = _make_accounts(1)
        given = []
        for first in range(0, len(many), ACCOUNTS_AT_ONCE):
            given += _credit(many[first : first + ACCOUNTS_AT_ONCE], count=arguments.credits)
        random.Random(1).shuffle(given)
        _number("bench_many", given)
        spent: list[tuple[TenantId, UUID]] = []
        while len(spent) < arguments.hot:
            spent += _credit(hot, count=CREDITS_AT_ONCE)
        _number("bench_hot", spent)


@transaction.atomic
def _make_accounts(count: int) -> list[TenantId]:
    now = clock.now()
    tenants = [create_tenant(name="Bench", now=now) for _ in range(count)]
    for tenant in tenants:
        open_account(tenant=tenant, now=now)
    return tenants


@transaction.atomic
def _credit(tenants: list[TenantId], *, count: int) -> list[tuple[TenantId, UUID]]:
    posted = post_batch(batch={tenant: [_draft() for _ in range(count)] for tenant in tenants}, now=clock.now())
    return [(tenant, entry.id) for tenant, entries in posted.items() for entry in entries]


def _draft() -> EntryDraft:
    source = uuid7()
    return EntryDraft(
        kind=EntryKind.PROMO_CREDIT,
        amount_micros=CREDIT_MICROS,
        idempotency_key=f"promo:{source}",
        description="Bench",
        promo_source=source,
    )


def _number(table: str, given: list[tuple[TenantId, UUID]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} (n bigint PRIMARY KEY, tenant_id uuid, entry_id uuid)")
        rows = [(number, tenant, entry) for number, (tenant, entry) in enumerate(given)]
        cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s)", rows)  # noqa: S608 - one of our own two names


if __name__ == "__main__":
    main()
