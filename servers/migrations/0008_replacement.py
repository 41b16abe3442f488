import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("servers", "0007_image"),
    ]

    operations = [
        migrations.AddField(
            model_name="server",
            name="rebuilding_since",
            field=models.DateTimeField(
                blank=True,
                help_text="it comes back from its backups on another machine, and is not back yet",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="Replacement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("under way", "under way"),
                            ("settled", "the old machine is being deleted"),
                            ("going back", "going back to the old machine"),
                            ("done", "done"),
                            ("back", "back on the old machine"),
                            ("ended", "ended with its server"),
                        ],
                        default="under way",
                        max_length=12,
                    ),
                ),
                ("asked_by", models.CharField(max_length=80)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "wish",
                    models.CharField(
                        blank=True, help_text="a restore point; empty: the newest", max_length=64
                    ),
                ),
                ("point", models.CharField(blank=True, help_text="the one that was taken", max_length=64)),
                ("point_at", models.DateTimeField(blank=True, null=True)),
                ("messages", models.BigIntegerField(blank=True, help_text="in that point", null=True)),
                (
                    "lost_since",
                    models.DateTimeField(
                        blank=True,
                        help_text="what came later is in no backup; empty: everything is",
                        null=True,
                    ),
                ),
                (
                    "last_backup",
                    models.UUIDField(blank=True, help_text="the job, with mail closed", null=True),
                ),
                ("restore", models.UUIDField(blank=True, help_text="the job on the new machine", null=True)),
                (
                    "restored",
                    models.BigIntegerField(
                        blank=True, help_text="messages, as the new machine counted them", null=True
                    ),
                ),
                (
                    "why",
                    models.CharField(blank=True, help_text="what went wrong, for the page", max_length=300),
                ),
                (
                    "old_machine",
                    models.BigIntegerField(
                        blank=True, help_text="Hetzner's id; empty: it is gone", null=True
                    ),
                ),
                (
                    "retired_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="since when the old machine is off and its agent does not count",
                        null=True,
                    ),
                ),
                (
                    "queued",
                    models.IntegerField(
                        default=0, help_text="mails that waited to leave, on the old machine alone"
                    ),
                ),
                ("old_type", models.CharField(blank=True, max_length=20)),
                ("old_ipv4", models.GenericIPAddressField(blank=True, null=True, protocol="IPv4")),
                ("old_ipv6", models.GenericIPAddressField(blank=True, null=True, protocol="IPv6")),
                (
                    "old_agent",
                    models.JSONField(blank=True, help_text="the columns of its agent's row", null=True),
                ),
                (
                    "addresses",
                    models.JSONField(
                        blank=True, default=dict, help_text="kept at Hetzner: their ids by kind"
                    ),
                ),
                (
                    "served_at",
                    models.DateTimeField(blank=True, help_text="when mail was served again", null=True),
                ),
                (
                    "release_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="when the old machine is deleted, where not all of it was in the backup",
                        null=True,
                    ),
                ),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "server",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replacements",
                        to="servers.server",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["server", "-id"], name="replacement_of")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at", None)),
                        fields=("server",),
                        name="one_living_replacement",
                    )
                ],
            },
        ),
    ]
