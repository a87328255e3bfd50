"""The settings for django-migration-linter, a development tool that must be an installed app."""

from config.settings import *

INSTALLED_APPS += ["django_migration_linter"]
MIGRATION_LINTER_OPTIONS = {
    # Django's and allauth's migrations are theirs. First migrations run before the system does.
    "exclude_apps": ["account", "mfa", "auth", "contenttypes", "sessions", "admin", "sites"],
    "ignore_initial_migrations": True,
    "no_cache": True,
    "warnings_as_errors_tests": ["CREATE_INDEX", "NOT_NULL", "ALTER_COLUMN", "DROP_COLUMN"],
}
