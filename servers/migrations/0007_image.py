from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("servers", "0006_mail")]

    operations = [
        migrations.CreateModel(
            name="Image",
            fields=[
                (
                    "image_id",
                    models.BigIntegerField(help_text="Hetzner's id", primary_key=True, serialize=False),
                ),
                ("version", models.CharField(help_text="short hash of the installer", max_length=20)),
                ("made_at", models.DateTimeField()),
            ],
        ),
    ]
