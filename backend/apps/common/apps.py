from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_migrate

from apps.common.limits import ALL
from apps.common.roles import check_role, grant_runtime_role


class CommonConfig(AppConfig):
    name = "apps.common"

    def ready(self) -> None:
        checks.register(check_role, checks.Tags.database)
        # Sent once an app with models, when all migrations are applied: any one of them will do.
        post_migrate.connect(grant_runtime_role, sender=apps.get_app_config("contenttypes"))
        unknown = sorted(settings.RATE_LIMITS.keys() - ALL.keys())
        if unknown:
            raise ImproperlyConfigured(f"RATE_LIMITS names limits that do not exist: {', '.join(unknown)}.")
