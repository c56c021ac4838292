from django.apps import AppConfig

from apps.mail.kinds import register_kinds


class MailConfig(AppConfig):
    name = "apps.mail"

    def ready(self) -> None:
        register_kinds()
