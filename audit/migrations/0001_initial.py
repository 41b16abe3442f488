"""Events, partitioned by month and chained; receipts. The tables are made by SQL, for they have rules of their own."""

import uuid
from pathlib import Path

import django.utils.timezone
from django.db import migrations, models
from django.db.models.functions import Now

SQL = Path(__file__).with_name("sql")
UNDO = """
DROP FUNCTION audit_hash, audit_lock_head;
DROP TABLE audit_event, audit_head, audit_receipt CASCADE;
DROP FUNCTION audit_field, audit_enter, audit_refuse, audit_chain, audit_keep_head, audit_guard_truncate,
  audit_make_rest, audit_make_month, audit_split_rest, audit_drop_month, audit_turn_months, audit_months;
"""


def _sql(name: str) -> str:
    return (SQL / name).read_text()


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(_sql("0001_events.sql"), UNDO),
        migrations.RunSQL(_sql("0001_months.sql"), migrations.RunSQL.noop),
        migrations.RunSQL(_sql("0001_receipts.sql"), migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_default=Now(), editable=False)),
                ("account_id", models.UUIDField(blank=True, null=True, help_text="empty: the house's own")),
                (
                    "by",
                    models.TextField(
                        help_text="who did it, such as user:12, staff:3, gumroad, program:Provision"
                    ),
                ),
                ("action", models.TextField(help_text="noun.verb, such as server.wanted")),
                (
                    "subject",
                    models.TextField(blank=True, help_text="what it was done to, such as server:<uuid>"),
                ),
                ("facts", models.JSONField(blank=True, default=dict)),
                ("reference", models.TextField(blank=True, help_text="the request or run, as in the log")),
                (
                    "seq",
                    models.BigIntegerField(
                        editable=False, null=True, help_text="its number in the account's chain"
                    ),
                ),
                ("prev_hash", models.BinaryField(null=True)),
                ("hash", models.BinaryField(null=True)),
            ],
            options={"db_table": "audit_event", "managed": False},
        ),
        migrations.CreateModel(
            name="Head",
            fields=[
                (
                    "chain",
                    models.UUIDField(
                        primary_key=True, serialize=False, help_text="the account; all zeros for the house"
                    ),
                ),
                ("seq", models.BigIntegerField()),
                ("hash", models.BinaryField()),
                ("at", models.DateTimeField()),
                ("anchor_seq", models.BigIntegerField()),
                ("anchor_hash", models.BinaryField()),
            ],
            options={"db_table": "audit_head", "managed": False},
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("account_id", models.UUIDField()),
                ("subject", models.TextField(unique=True)),
                ("text", models.TextField()),
                ("key", models.TextField(help_text="id of the public key")),
                ("signature", models.TextField(help_text="Ed25519, in base64")),
                ("issued_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={"db_table": "audit_receipt", "managed": False},
        ),
    ]
