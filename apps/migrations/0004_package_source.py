"""Packages that name a git repository instead of holding bits."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("apps", "0003_router_version")]
    operations = [
        migrations.AddField("package", "source_url", models.CharField(blank=True, default="", max_length=512)),
        migrations.AddField("package", "source_ref", models.CharField(blank=True, default="", max_length=255)),
    ]
