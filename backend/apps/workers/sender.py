"""Hands a step's hint to the broker. Knows the task by name only, so that a web process need not load the tasks."""

from uuid import UUID

from celery import current_app

from apps.common.ids import TenantId


def send_step(tenant: TenantId, run_id: UUID) -> None:
    """Publishes the hint; raises whatever the broker's client raises when it is away."""
    current_app.send_task("run_step", args=[str(tenant), str(run_id)], ignore_result=True)
