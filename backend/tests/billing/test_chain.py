"""The hash chain: Python and PostgreSQL agree on every byte of an entry."""

from datetime import UTC, datetime

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from apps.billing.models import ReserveLedgerEntry
from apps.billing.services.chain import hash_entry, hash_request
from tests.billing.raw import forge_credit, forge_entry, insert, move_account
from tests.factories.billing import fund, make_reserve

# What PostgreSQL can store: no NUL and no surrogates.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=60)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001

COLUMNS = [field.attname for field in ReserveLedgerEntry._meta.concrete_fields if field.attname != "hash"]


@pytest.mark.django_db(transaction=True)
def test_the_database_accepts_the_hash_of_whatever_an_entry_says() -> None:
    tenant = make_reserve()

    @given(description=texts, key=texts, micros=st.integers(1, 10**9), at=moments)
    def accepts(description: str, key: str, micros: int, at: datetime) -> None:
        if ReserveLedgerEntry.objects.filter(idempotency_key=key).exists():
            return
        entry = forge_credit(tenant, description=description, idempotency_key=key, amount_micros=micros, created_at=at)
        with transaction.atomic():
            insert(entry)
            move_account(entry)

    accepts()


@pytest.mark.django_db
def test_a_stored_entry_hashes_to_what_it_says() -> None:
    tenant = make_reserve()
    fund(tenant, 5)
    entry = ReserveLedgerEntry.objects.get(tenant_id=tenant)
    assert entry.hash == hash_entry(entry)


@pytest.mark.django_db
@pytest.mark.parametrize("field", COLUMNS)
def test_the_hash_covers_every_other_column(field: str) -> None:
    entry = forge_entry(make_reserve())
    before = hash_entry(entry)
    setattr(entry, field, datetime(2020, 1, 1, tzinfo=UTC) if field == "created_at" else "changed")
    assert hash_entry(entry) != before


def test_the_parts_of_a_request_do_not_run_together() -> None:
    assert hash_request("ab", "c") != hash_request("a", "bc")
    assert hash_request(None) != hash_request("None")
