from django.apps import AppConfig


class ShellConfig(AppConfig):
    name = "apps.shell"
    label = "shell"
