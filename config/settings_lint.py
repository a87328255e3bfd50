"""The settings for django-migration-linter, a development tool that must be an installed app."""

from config.settings import *

INSTALLED_APPS += ["django_migration_linter"]
MIGRATION_LINTER_OPTIONS = {
    # Django's and allauth's migrations are theirs. First migrations run before the system does.
    "exclude_apps": ["account", "mfa", "auth", "contenttypes", "sessions", "admin", "sites"],
    "ignore_initial_migrations": True,
    # Its unique constraint replaces a stricter one, so no row and no running node can break it, and
    # a partner's customers ask seldom: the table is small.
    # The other one makes texts longer, which rewrites nothing, and its index is made beside writers
    # for a column that no row has filled.
    "ignore_name": ["0011_what_frozen_customers_ask", "0013_external_ids_online"],
    "no_cache": True,
    "warnings_as_errors_tests": ["CREATE_INDEX", "NOT_NULL", "ALTER_COLUMN", "DROP_COLUMN"],
}
