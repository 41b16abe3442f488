"""The raw figures: one table, partitioned by day, so that a day leaves by dropping a table."""

from django.db import migrations

MAKE = """
CREATE TABLE servers_metric (
  server_id uuid NOT NULL, at timestamptz NOT NULL,
  cpu real, memory real, disk real, load real, received real, sent real,
  PRIMARY KEY (server_id, at)
) PARTITION BY RANGE (at);
CREATE TABLE servers_metric_rest PARTITION OF servers_metric DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("servers", "0001_initial")]
    operations = [migrations.RunSQL(MAKE, "DROP TABLE servers_metric")]
