"""Addresses of the API, by area."""

from importlib.util import find_spec

from django.urls import include, path

urlpatterns = [
    path("", include(f"apps.api.{area}.urls"))
    for area in ("accounts", "tenants", "staff", "worklog", "billing", "jobs", "reports", "mydata", "system")
    if find_spec(f"apps.api.{area}") and find_spec(f"apps.api.{area}.urls")
]
