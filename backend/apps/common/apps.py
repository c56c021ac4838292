from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.common.limits import ALL


class CommonConfig(AppConfig):
    name = "apps.common"

    def ready(self) -> None:
        unknown = sorted(settings.RATE_LIMITS.keys() - ALL.keys())
        if unknown:
            raise ImproperlyConfigured(f"RATE_LIMITS names limits that do not exist: {', '.join(unknown)}.")
