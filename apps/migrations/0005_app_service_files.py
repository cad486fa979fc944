"""The app's choice of how credentials of services come into its instances."""

from django.db import migrations, models

CHOICES = [
    ("", "in VCAP_SERVICES"),
    ("service-binding-k8s", "as one file each"),
    ("file-based-vcap-services", "as one file for all"),
]


class Migration(migrations.Migration):
    dependencies = [("apps", "0004_package_source")]
    operations = [
        migrations.AddField(
            "app",
            "service_files",
            models.CharField(blank=True, choices=CHOICES, db_default="", default="", max_length=32),
        ),
    ]
