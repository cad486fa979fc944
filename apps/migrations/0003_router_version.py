"""The counter behind the routing table's version."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("apps", "0002_initial")]
    operations = [migrations.RunSQL("CREATE SEQUENCE apps_router_version", "DROP SEQUENCE apps_router_version")]
