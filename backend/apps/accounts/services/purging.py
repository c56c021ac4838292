"""The daily round through the identities: what has expired is deleted."""

from datetime import datetime

from apps.accounts.services.emails import drop_stale_changes
from apps.accounts.services.tokens import purge_tokens


def purge_identities(*, now: datetime) -> int:
    """Deletes expired tokens and forgets expired wishes for another address; returns how many. Goes over all people."""
    return purge_tokens(now=now) + drop_stale_changes(now=now)
