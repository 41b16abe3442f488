from django.apps import AppConfig


class ServersConfig(AppConfig):
    name = "servers"
    verbose_name = "Fleet"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from servers.programs import (  # noqa: F401  the engine finds programs by name
            bake_image,
            destroy,
            go_back,
            keep,
            provision,
            rebuild,
        )
