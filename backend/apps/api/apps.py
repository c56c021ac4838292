from datetime import datetime
from importlib import import_module

from django.apps import AppConfig
from django.utils.module_loading import import_string

from apps.common.purging import plug_purge


class ApiConfig(AppConfig):
    name = "apps.api"

    def ready(self) -> None:
        plug_purge(name="stored_answers", purge=_purge_stored_answers)
        # It plugs itself in; importing it needs the models, so it happens here.
        import_module("apps.api.erasure")


def _purge_stored_answers(now: datetime) -> int:
    # By name: the models cannot be loaded together with this module.
    deleted: int = import_string("apps.api.stored_answers.purge_stored_answers")(now)
    return deleted
