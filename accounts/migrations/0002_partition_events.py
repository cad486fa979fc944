"""Splits the events by month and lets the application only add to them."""

from datetime import date

from django.db import migrations

from accounts import partitions


def forwards(apps, schema_editor):
    for table in partitions.TABLES:
        partitions.partition(schema_editor.connection, table)
    partitions.ensure(schema_editor.connection, today=date.today())


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
