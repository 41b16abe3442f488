"""What staff did and why, and what broke, each by the reference that people quote."""

import uuid

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_cheaper"),
    ]

    operations = [
        migrations.CreateModel(
            name="Deed",
            fields=[
                (
                    "once",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("by", models.CharField(help_text="such as staff:3", max_length=80)),
                (
                    "act",
                    models.CharField(
                        help_text="list and action, such as engine.run:retry_now", max_length=80
                    ),
                ),
                ("title", models.CharField(max_length=120)),
                ("reason", models.CharField(max_length=300)),
                (
                    "told",
                    models.JSONField(
                        default=list, help_text="each row, and why nothing was done with it where that is so"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-at", "-once"], name="deed_newest"),
                    models.Index(fields=["by", "-at"], name="deed_by"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Fault",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("reference", models.CharField(max_length=64)),
                ("method", models.CharField(max_length=10)),
                (
                    "route",
                    models.CharField(
                        help_text="the pattern and not the path, which may hold a token", max_length=200
                    ),
                ),
                (
                    "error",
                    models.CharField(
                        help_text="the exception's class; its words may hold a secret", max_length=120
                    ),
                ),
                ("place", models.CharField(help_text="where in our code", max_length=200)),
                (
                    "by",
                    models.CharField(
                        blank=True, help_text="who was signed in, such as user:12", max_length=80
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["reference"], name="fault_reference"),
                    models.Index(fields=["-at", "-id"], name="fault_newest"),
                ],
            },
        ),
    ]
