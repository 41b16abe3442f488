"""What reports say of the mail system: its troubles, the canary's time, and the window for reboots."""

from django.db import migrations, models

import servers.models


class Migration(migrations.Migration):
    dependencies = [("servers", "0005_indexes")]

    operations = [
        migrations.AddField("server", "reboot_days", models.JSONField(
            default=servers.models.every_day, help_text="when it may reboot: 0 is Monday, in UTC")),
        migrations.AddField("server", "reboot_hour", models.IntegerField(
            default=3, help_text="the first hour of the window, in UTC")),
        migrations.AddField("server", "reboot_hours", models.IntegerField(
            default=2, help_text="the length of the window")),
        migrations.AddField("agent", "applied_as_of", models.DateTimeField(
            blank=True, null=True, help_text="what was wanted at this time is in force")),
        migrations.AddField("agent", "troubles", models.JSONField(
            default=list, help_text="what the last reports complain of, see servers/troubles.py")),
        migrations.AddField("metric", "canary", models.FloatField(
            help_text="seconds that a mail took, out and back", null=True)),
        migrations.AddField("thinmetric", "canary", models.FloatField(null=True)),
        migrations.RunSQL(
            "ALTER TABLE servers_metric ADD COLUMN canary real", "ALTER TABLE servers_metric DROP COLUMN canary"
        ),
    ]  # fmt: skip
