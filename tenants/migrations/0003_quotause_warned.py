import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [('tenants', '0002_teams')]

    operations = [
        migrations.AddField(
            model_name='quotause',
            name='warned',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), blank=True, db_default=[], default=list, size=None),
        ),
    ]
