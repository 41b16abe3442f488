from django.apps import AppConfig


class MailatConfig(AppConfig):
    name = "mailat"

    def ready(self) -> None:
        from mailat import celery  # noqa: F401  the app must exist before a task is sent
