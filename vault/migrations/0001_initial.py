"""Keys and secrets, and the rules that Postgres keeps for them."""

import uuid
from pathlib import Path

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

UNDO = """
DROP TRIGGER vault_keep_key ON vault_key;
DROP TRIGGER vault_keep_secret ON vault_secret;
DROP FUNCTION vault_keep_key, vault_keep_secret;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Key",
            fields=[
                (
                    "id",
                    models.CharField(
                        help_text="as vault.keys.key_id says it",
                        max_length=16,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "added_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        help_text="first sealed to",
                    ),
                ),
                (
                    "retired_at",
                    models.DateTimeField(blank=True, help_text="from then on it opens nothing", null=True),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["-added_at", "id"], name="key_newest")],
            },
        ),
        migrations.CreateModel(
            name="Secret",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("account_id", models.UUIDField()),
                ("purpose", models.CharField(help_text="what it is for, such as aws", max_length=60)),
                (
                    "subject",
                    models.CharField(
                        help_text="whose row uses it, such as credentials:<uuid>", max_length=80
                    ),
                ),
                (
                    "sealed",
                    models.BinaryField(
                        help_text="encapsulated key and ciphertext; empty once it is shredded"
                    ),
                ),
                (
                    "kept_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "sealed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        help_text="to the key that it has now",
                    ),
                ),
                ("by", models.TextField(help_text="who gave it, such as user:12")),
                ("shredded_at", models.DateTimeField(blank=True, null=True)),
                ("shredded_by", models.TextField(blank=True, default="")),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="vault.key",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("shredded_at", None)), fields=["key", "id"], name="secret_of_key"
                    ),
                    models.Index(fields=["subject", "id"], name="secret_subject"),
                    models.Index(fields=["account_id", "id"], name="secret_account"),
                    models.Index(fields=["-kept_at", "id"], name="secret_newest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sealed__gt", b""), ("shredded_at", None)),
                            models.Q(("sealed", b""), ("shredded_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="empty_when_shredded",
                    )
                ],
            },
        ),
        migrations.RunSQL((Path(__file__).parent / "sql" / "0001_rules.sql").read_text(), UNDO),
    ]
