from django.apps import AppConfig

from apps.billing.mails import register_mails


class BillingConfig(AppConfig):
    name = "apps.billing"

    def ready(self) -> None:
        register_mails()
