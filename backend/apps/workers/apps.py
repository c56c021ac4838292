from django.apps import AppConfig

from apps.billing import dispatch as billing_dispatch
from apps.mail import dispatch as mail_dispatch
from apps.orchestration.dispatch import plug_sender
from apps.workers.sender import send_mail_hint, send_step, send_stripe_hint


class WorkersConfig(AppConfig):
    name = "apps.workers"

    def ready(self) -> None:
        plug_sender(send_step)
        mail_dispatch.plug_sender(send_mail_hint)
        billing_dispatch.plug_sender(send_stripe_hint)
