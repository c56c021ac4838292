"""What beat starts, and when. `manage.py bootstrap` writes these into the scheduler's tables."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Duty:
    """A periodic task: every so many seconds, or daily at an hour (UTC)."""

    name: str
    task: str
    every_seconds: int | None = None
    daily_at_hour: int | None = None
    # A tick that nobody took within this time is dropped: the next one does the same work.
    expires_seconds: int | None = None


SCHEDULE: Final = (
    Duty(name="Sweep due steps, dead workers and overdue holds", task="sweep", every_seconds=10, expires_seconds=10),
    Duty(name="Watch over low reserves", task="check_reserves", every_seconds=10, expires_seconds=10),
    Duty(name="Ask Stripe about refunds", task="look_at_refunds", every_seconds=60, expires_seconds=60),
    Duty(name="Send mails", task="send_mails", every_seconds=5, expires_seconds=5),
    Duty(name="Forget old mails", task="erase_old_mails", daily_at_hour=4, expires_seconds=3600),
    Duty(name="Delete what has expired", task="purge_expired", daily_at_hour=5, expires_seconds=3600),
    Duty(name="Erase accounts whose day has come", task="erase_due_accounts", every_seconds=600, expires_seconds=600),
    Duty(name="Remove expired exports", task="purge_exports", every_seconds=600, expires_seconds=600),
    Duty(name="Sweep files of exports without a row", task="sweep_export_files", daily_at_hour=4, expires_seconds=3600),
    Duty(name="Prove the ledger", task="prove_ledger", daily_at_hour=3, expires_seconds=3600),
    Duty(name="Meter calls with personal tokens", task="meter_api_calls", every_seconds=3600, expires_seconds=3600),
    Duty(name="Meter stored files", task="meter_storage", daily_at_hour=2, expires_seconds=3600),
    Duty(name="Work on Stripe's messages", task="work_stripe_events", every_seconds=10, expires_seconds=10),
    Duty(name="Ask Stripe about open payments", task="look_at_payments", every_seconds=30, expires_seconds=30),
    # Once a day; each hour, so that a day on which Stripe was away is made up for.
    Duty(name="Reconcile payments with Stripe", task="reconcile_payments", every_seconds=3600, expires_seconds=3600),
)
