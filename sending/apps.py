from django.apps import AppConfig


class SendingConfig(AppConfig):
    name = "sending"
    verbose_name = "Sending"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from sending.programs import check, read_notice, watch  # noqa: F401  the engine finds programs by name
