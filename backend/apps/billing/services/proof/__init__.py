"""Proving that the money is right: each part reads rows and yields what does not hold, by the rule that it breaks.

`prove_ledger` proves the books alone. The whole of it is composed in `orchestration.services.proving`, which also knows
the calls to models and where the anchors outside the database lie.
"""

from apps.billing.services.proof.anchors import Head, check_heads, list_heads
from apps.billing.services.proof.books import SWEEP_GRACE, prove_ledger, read_books
from apps.billing.services.proof.calls import count_bookings
from apps.billing.services.proof.findings import Findings, Invariant, Problem, store_proof
from apps.billing.services.proof.payments import check_payments
from apps.billing.services.proof.stripe import check_stripe

__all__ = [
    "SWEEP_GRACE",
    "Findings",
    "Head",
    "Invariant",
    "Problem",
    "check_heads",
    "check_payments",
    "check_stripe",
    "count_bookings",
    "list_heads",
    "prove_ledger",
    "read_books",
    "store_proof",
]
