from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sending", "0002_watched")]

    operations = [
        migrations.AddField(
            model_name="standing",
            name="hours",
            field=models.JSONField(
                default=dict, help_text="whose, and sent24 as it stood in each hour of a week"
            ),
        ),
        migrations.AlterField(
            model_name="identity",
            name="verified_at",
            field=models.DateTimeField(blank=True, help_text="stays if it is verified no longer", null=True),
        ),
    ]
