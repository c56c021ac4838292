"""The heads that were proved, to be kept where nobody who can write to this database can reach them."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from apps.billing.models import LedgerAnchor, ReserveLedgerEntry
from apps.billing.services.proof.findings import Invariant, Problem

_BATCH: Final = 500


class Head(NamedTuple):
    """The last entry of an account that was proved, and its hash."""

    account: UUID
    seq: int
    hash: str


def list_heads() -> list[Head]:
    """The newest proved entry of every account."""
    newest = LedgerAnchor.objects.order_by("account_id", "-seq").distinct("account_id")
    return [Head(*row) for row in newest.values_list("account_id", "seq", "hash")]


def check_heads(heads: Sequence[Head]) -> Iterator[Problem]:
    """Rule 1: what was proved then is what stands there now."""
    for start in range(0, len(heads), _BATCH):
        part = heads[start : start + _BATCH]
        rows = ReserveLedgerEntry.objects.filter(
            account_id__in=[head.account for head in part], seq__in=[head.seq for head in part]
        )
        now = {(account, seq): hash_ for account, seq, hash_ in rows.values_list("account_id", "seq", "hash")}
        for head in part:
            found = now.get((head.account, head.seq))
            if found != head.hash:
                what = "has gone" if found is None else "is another one"
                text = f"account {head.account} entry {head.seq}: {what} than when it was proved and kept elsewhere"
                yield Problem(Invariant.BOOKS, text)
