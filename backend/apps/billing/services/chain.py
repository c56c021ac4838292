"""The hash chain of the ledger, in Python: the second, independent reckoning beside the database's trigger."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Final

from apps.billing.models import ReserveLedgerEntry

# What the first entry of an account follows.
GENESIS: Final = "0" * 64

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def canonical_text(entry: ReserveLedgerEntry) -> str:
    """The text that an entry's hash covers: a JSON array of the previous hash and every other column.

    Equal to the last character to PostgreSQL's `jsonb_build_array(...)::text` in apps.billing.models.rules.
    """
    ids = (entry.hold_id, entry.promo_source, entry.adjustment_id, entry.expired_entry_id, entry.actor_id)
    return json.dumps(
        [
            entry.previous_hash,
            str(entry.id),
            str(entry.tenant_id),
            str(entry.account_id),
            entry.seq,
            entry.kind,
            entry.amount_micros,
            entry.balance_after_micros,
            entry.floor_micros,
            entry.currency,
            entry.idempotency_key,
            entry.request_hash,
            entry.payment_intent_id,
            entry.refund_id,
            entry.dispute_id,
            entry.dispute_phase,
            *(None if value is None else str(value) for value in ids),
            entry.description,
            (entry.created_at - _EPOCH) // timedelta(microseconds=1),
        ],
        ensure_ascii=False,
    )


def hash_entry(entry: ReserveLedgerEntry) -> str:
    """SHA-256 over the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical_text(entry).encode()).hexdigest()


def hash_request(*parts: object) -> str:
    """What tells a replay from another request under the same key."""
    text = json.dumps([None if part is None else str(part) for part in parts], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
