from importlib import import_module

from django.apps import AppConfig


class OrchestrationConfig(AppConfig):
    name = "apps.orchestration"

    def ready(self) -> None:
        # Each flow registers itself; importing them needs the models, so it happens here.
        import_module("apps.orchestration.flows.report")
        import_module("apps.orchestration.flows.export")
        import_module("apps.orchestration.mails")
