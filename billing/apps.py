from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Money"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # A worker must know a program before it meets a run of it.
        from billing import last_look, listening, policy, programs, reconcile  # noqa: F401
        from servers.programs import destroy

        policy.check_settings()
        destroy.doubts.append(last_look.is_doubted)
