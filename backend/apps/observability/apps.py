from django.apps import AppConfig
from django_structlog import signals

from apps.observability.request_log import bind_true_address


class ObservabilityConfig(AppConfig):
    name = "apps.observability"

    def ready(self) -> None:
        signals.bind_extra_request_metadata.connect(bind_true_address, dispatch_uid="true-address")
