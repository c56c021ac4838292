"""SQL as somebody would type it who knows nothing of the services: the database's own role, no ORM."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Model

from apps.billing.models import BillingDocument, PaymentAttempt, ReserveLedgerEntry, UsageEvent
from apps.billing.services.chain import hash_entry, hash_request
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from tests.factories.billing import NOW, get_account


def run(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@contextmanager
def refused(match: str) -> Iterator[None]:
    """Expects the database to say no, with these words, and leaves the transaction usable."""
    with pytest.raises(DatabaseError, match=match), transaction.atomic():
        yield


def insert(row: Model, *, suffix: str = "") -> None:
    """INSERT of exactly the row's values."""
    fields = row._meta.concrete_fields
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    names = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    run(f'INSERT INTO "{row._meta.db_table}" ({names}) VALUES ({marks}) {suffix}', *values)  # noqa: S608


def update(table: str, change: str) -> None:
    """UPDATE of every row of one of the tables of money."""
    run(f"UPDATE billing_{table} SET {change}")  # noqa: S608


def delete(table: str) -> None:
    """DELETE of every row of one of the tables of money."""
    run(f"DELETE FROM billing_{table}")  # noqa: S608


def forge_entry(tenant: TenantId, **changes: Any) -> ReserveLedgerEntry:
    """An entry as a careful forger would write it: it follows the last one, and its hash fits whatever it says."""
    account = get_account(tenant)
    values: dict[str, Any] = {
        "id": uuid7(),
        "tenant_id": tenant,
        "account_id": account.id,
        "seq": account.last_seq + 1,
        "kind": "topup",
        "amount_micros": 100,
        "floor_micros": account.floor_micros,
        "idempotency_key": str(uuid7()),
        "request_hash": hash_request(),
        "payment_intent_id": f"pi_{uuid7()}",
        "description": "Forged",
        "created_at": NOW,
        "previous_hash": account.last_hash,
        **changes,
    }
    values.setdefault("balance_after_micros", account.balance_micros + values["amount_micros"])
    if values["kind"] != "topup" and "payment_intent_id" not in changes:
        values["payment_intent_id"] = None
    entry = ReserveLedgerEntry(**values)
    entry.hash = changes.get("hash") or hash_entry(entry)
    return entry


def forge_credit(tenant: TenantId, **changes: Any) -> ReserveLedgerEntry:
    """A forged credit that needs no row beside it: a promotion."""
    return forge_entry(tenant, kind="promo_credit", promo_source=uuid7(), **changes)


def move_account(entry: ReserveLedgerEntry) -> None:
    """What the forger has to do to the account so that it fits the entry."""
    run(
        "UPDATE billing_reserveaccount SET balance_micros = %s, last_seq = %s, last_hash = %s WHERE id = %s",
        entry.balance_after_micros,
        entry.seq,
        entry.hash,
        entry.account_id,
    )


def copy_event(event_id: Any, **changes: Any) -> UsageEvent:
    """A stored event under a new id, changed."""
    event = UsageEvent.objects.get(pk=event_id)
    for name, value in {"id": uuid7(), **changes}.items():
        setattr(event, name, value)
    return event


def forge_attempt(tenant: TenantId, **changes: Any) -> PaymentAttempt:
    """A payment as somebody would write it who knows the columns, but not the rules."""
    values: dict[str, Any] = {
        "tenant_id": tenant,
        "account_id": get_account(tenant).id,
        "kind": "checkout",
        "state": "open",
        "amount_micros": 500,
        "request_key": str(uuid7()),
        "created_at": NOW,
        "updated_at": NOW,
        **changes,
    }
    has_ended = values["state"] in {"succeeded", "failed", "canceled"}
    values.setdefault("stripe_payment_intent_id", f"pi_{uuid7()}" if values["state"] == "succeeded" else None)
    return PaymentAttempt(**{"closed_at": NOW if has_ended else None, **values})


def forge_document(tenant: TenantId, number: int, *, series: str = "R", **changes: Any) -> BillingDocument:
    """A numbered document."""
    values: dict[str, Any] = {
        "tenant_id": tenant,
        "kind": "receipt",
        "series": series,
        "number": number,
        "subject": str(uuid7()),
        "amount_micros": 500,
        "content": {},
        "issued_at": NOW,
        **changes,
    }
    return BillingDocument(**values)
