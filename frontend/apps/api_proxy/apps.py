from django.apps import AppConfig


class ApiProxyConfig(AppConfig):
    name = "apps.api_proxy"
    label = "api_proxy"
