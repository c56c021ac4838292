from collections.abc import Mapping
from typing import Any

from django.apps import AppConfig

from apps.mail import registry
from apps.mail.links import frontend_link


def add_links(context: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001 - the shape of the hook
    """What every mail about second factors offers: the page on which the person sees and ends what is set up."""
    return {"security_url": frontend_link("profile", "security")}


def make_sample(**values: Any) -> Mapping[str, Any]:
    """What a mail of these kinds could be filled with."""
    return {"username": "ada", "at": "23 November 2026, 09:00 UTC", **add_links({}), **values}


class MfaConfig(AppConfig):
    name = "apps.mfa"

    def ready(self) -> None:
        registry.register(
            kind="second_factor_added",
            subject="Your account has {{ what }} now",
            enrich=add_links,
            sample=make_sample(what="an authenticator app"),
        )
        registry.register(
            kind="second_factor_removed",
            subject="Removed from your account: {{ what }}",
            enrich=add_links,
            sample=make_sample(what="the security key “Blue key”", is_reset=False),
        )
        registry.register(
            kind="recovery_code_used",
            subject="A recovery code was used to sign in to your account",
            enrich=add_links,
            sample=make_sample(left=9),
        )
