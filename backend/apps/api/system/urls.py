"""Addresses of the service's own state and description."""

from django.urls import path

from apps.api.system import views

urlpatterns = [
    path("healthz/", views.HealthView.as_view(), name="healthz"),
    path("readyz/", views.ReadinessView.as_view(), name="readyz"),
    path("dutyz/", views.DutiesView.as_view(), name="dutyz"),
    path("schema/", views.SchemaView.as_view(), name="schema"),
    path("docs/", views.DocsView.as_view(), name="docs"),
]
