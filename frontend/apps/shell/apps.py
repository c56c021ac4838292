from django.apps import AppConfig
from django_structlog import signals

from apps.shell.visitors import bind_true_address


class ShellConfig(AppConfig):
    name = "apps.shell"
    label = "shell"

    def ready(self) -> None:
        signals.bind_extra_request_metadata.connect(bind_true_address, dispatch_uid="true-address")
