"""Addresses of the API, by area."""

from importlib.util import find_spec

from django.urls import include, path

from apps.api.billing.webhook import take_message

urlpatterns = [
    path("billing/webhook/", take_message, name="billing-webhook"),
    *(
        path("", include(f"apps.api.{area}.urls"))
        for area in ("accounts", "tenants", "staff", "worklog", "billing", "jobs", "reports", "mydata", "system")
        if find_spec(f"apps.api.{area}") and find_spec(f"apps.api.{area}.urls")
    ),
]
