from django.urls import path

from apps.api_proxy import views

app_name = "api_proxy"
urlpatterns = [
    path("status-bar/", views.status_bar, name="status-bar"),
    path("reserve-balance/", views.reserve_balance, name="reserve-balance"),
    path("reachable/", views.reachable, name="reachable"),
]
