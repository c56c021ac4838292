from django.apps import AppConfig
from django.utils.module_loading import import_string


class AccountsConfig(AppConfig):
    name = "apps.accounts"

    def ready(self) -> None:
        # By name: the mails are about models, which cannot be loaded together with this module.
        import_string("apps.accounts.mails.register_mails")()
