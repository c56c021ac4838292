from django.urls import path

from apps.billing import views

app_name = "billing"
urlpatterns = [
    path("settings/", views.settings, name="settings"),
    path("ledger/", views.ledger, name="ledger"),
    path("usage/", views.usage, name="usage"),
]
