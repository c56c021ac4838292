from django.apps import AppConfig


class LLMConfig(AppConfig):
    name = "apps.llm"
