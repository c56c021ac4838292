from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_email_verified")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="deletion_scheduled_for",
            field=models.DateTimeField(help_text="Set shows the way back on every page.", null=True),
        ),
    ]
