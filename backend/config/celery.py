"""The Celery application. Tasks live in `apps.workers`; what they do lives in `apps.orchestration`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")

app = Celery("afterresume", task_cls="apps.workers.origins:AuditedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["apps.workers"])
