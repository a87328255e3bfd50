"""The settings of the tests: those of the demo, changed to be quick and strict."""

import os

for name in list(os.environ):
    if name in ("DEBUG", "ALLOWED_HOSTS") or name.startswith("PROVIDER_"):
        del os.environ[name]
os.environ |= {
    "DEMO": "1",
    # A test names the support that it is about.
    "PROVIDER_SUPPORT_EMAIL": "",
    "PUBLIC_BASE_URL": "http://127.0.0.1:8000",
    "SECRET_KEY": "key-of-the-tests-0123456789-0123456789-0123456789",
}

from config.redis_locations import redis_location
from config.settings import *

if CACHES["default"]["BACKEND"].endswith("RedisCache"):
    # Each process of pytest-xdist uses its own numbered database, because tests empty it.
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    CACHES["default"]["LOCATION"] = redis_location(CACHES["default"]["LOCATION"], number)
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True
