"""The Celery application. Tasks live in `apps.workers`; what they do lives in `apps.orchestration`."""

import os
from typing import Any

from celery import Celery, signals
from django.core.exceptions import ImproperlyConfigured

from apps.common.roles import require_runtime_role

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

app = Celery("afterresume", task_cls="apps.workers.origins:AuditedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["apps.workers"])


@signals.worker_init.connect
@signals.beat_init.connect
def refuse_powerful_role(**_: Any) -> None:
    """Ends the program before it takes up work. Celery logs and forgets what a signal raises, but for this."""
    try:
        require_runtime_role()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error
