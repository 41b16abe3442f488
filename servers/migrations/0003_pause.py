from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("servers", "0002_metric")]
    operations = [
        migrations.CreateModel(
            name="Pause",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("until", models.DateTimeField()),
            ],
        ),
    ]
