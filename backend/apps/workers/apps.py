from django.apps import AppConfig

from apps.orchestration.dispatch import plug_sender
from apps.workers.sender import send_step


class WorkersConfig(AppConfig):
    name = "apps.workers"

    def ready(self) -> None:
        plug_sender(send_step)
