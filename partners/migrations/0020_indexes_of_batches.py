from django.db import migrations, models

from web.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    # Indexes are made while the system runs.
    atomic = False

    dependencies = [("partners", "0019_bulk_actions")]

    operations = [
        AddIndexOnline(
            model_name='invitation',
            index=models.Index(condition=models.Q(('batch__isnull', True)), fields=['partner', '-created_at', '-id'], name='invitation_single_by_partner'),
        ),
        AddIndexOnline(
            model_name='invitation',
            index=models.Index(condition=models.Q(('batch__isnull', True)), fields=['created_by', '-created_at', '-id'], name='invitation_single_by_creator'),
        ),
        AddIndexOnline(
            model_name='invitation',
            index=models.Index(condition=models.Q(('batch__isnull', False), ('used_count__gt', 0)), fields=['batch', 'used_count'], name='invitation_used_of_batch'),
        ),
        AddIndexOnline(
            model_name='invitation',
            index=models.Index(condition=models.Q(('batch__isnull', False)), fields=['batch', '-created_at', '-id'], name='invitation_of_batch'),
        ),
    ]
