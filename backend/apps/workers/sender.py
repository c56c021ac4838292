"""Hands the hints of due work to the broker. Knows tasks by name only: a web process need not load them."""

from uuid import UUID

from celery import current_app

from apps.common.ids import TenantId


def send_step(tenant: TenantId, run_id: UUID) -> None:
    """Publishes the hint; raises whatever the broker's client raises when it is away."""
    current_app.send_task("run_step", args=[str(tenant), str(run_id)], ignore_result=True)


def send_mail_hint() -> None:
    """Publishes that mail is due; raises whatever the broker's client raises when it is away."""
    current_app.send_task("send_mails", ignore_result=True)


def send_stripe_hint() -> None:
    """Publishes that messages of Stripe wait; raises whatever the broker's client raises when it is away."""
    current_app.send_task("work_stripe_events", ignore_result=True)
