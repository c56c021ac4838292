"""How long the answers to idempotent calls are kept. A client that repeats a call after that makes a new one."""

from datetime import datetime, timedelta
from typing import Final

from apps.api.models import StoredAnswer

KEEP_FOR: Final = timedelta(days=7)


def purge_stored_answers(now: datetime) -> int:
    """Deletes what no client will ask for again; returns how many. Goes over all tenants."""
    return StoredAnswer.objects.filter(created_at__lt=now - KEEP_FOR).delete()[0]
