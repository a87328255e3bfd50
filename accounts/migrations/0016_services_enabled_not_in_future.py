import accounts.models.customers
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0015_connected_logins'),
    ]

    operations = [
        migrations.AlterField(
            model_name='customeraccount',
            name='services_enabled_at',
            field=models.DateTimeField(blank=True, null=True, validators=[accounts.models.customers.validate_not_in_future], verbose_name='services enabled at'),
        ),
    ]
