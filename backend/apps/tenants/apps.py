from django.apps import AppConfig

from apps.mail.links import frontend_link
from apps.mail.registry import register


class TenantsConfig(AppConfig):
    name = "apps.tenants"

    def ready(self) -> None:
        people = {"username": "ada", "tenant": "Acme", "by": "grace"}
        register(
            kind="member_role_changed",
            subject="Your role in {{ tenant }} has changed",
            enrich=lambda _: {"link": frontend_link("profile", "members")},
            sample={**people, "role": "owner"},
        )
        register(
            kind="member_removed",
            subject="You are no longer in {{ tenant }}",
            enrich=lambda _: {"link": frontend_link("accounts", "login")},
            sample={**people, "is_by_choice": False},
        )
        register(
            kind="member_left",
            subject="{{ member }} is no longer in {{ tenant }}",
            enrich=lambda _: {"link": frontend_link("profile", "members")},
            sample={**people, "member": "alan", "is_by_choice": False},
        )
        register(
            kind="support_access_used",
            subject="Support has looked at your data",
            enrich=lambda _: {"link": frontend_link("profile", "support")},
            sample={
                "username": "ada",
                "staff": "grace",
                "reason": "My report does not finish",
                "at": "2026-03-14 09:26",
            },
        )
