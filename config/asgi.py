"""The ASGI entrance for servers that speak it."""

import os

import django

from accounts.requests import SiteASGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django.setup(set_prefix=False)
application = SiteASGIHandler()
