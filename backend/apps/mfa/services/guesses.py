"""Wrong codes are counted by person, whichever challenge or form they were tried on."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from apps.common.limits import SECOND_FACTOR_ACCOUNT
from apps.common.rate_limits import counting
from apps.mfa.refusals import BadCode


@contextmanager
def limited(*, user_id: UUID) -> Iterator[None]:
    """Counts the block against the person when it ends in BadCode. Asks Valkey, so it must not run in a transaction."""
    with counting(limit=SECOND_FACTOR_ACCOUNT, key=str(user_id), failures=(BadCode,)):
        yield
