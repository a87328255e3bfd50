"""Every setting of the project, read from the environment; safe by default."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config import databases, rate_limits
from config.api_issuer import read_api_issuer
from config.log_in import log_in_settings
from config.logs import log_format, logging_settings, refuse_to_start
from config.retention import RETENTION_JOBS, read_retention

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
VAR_DIR.mkdir(exist_ok=True)
env = environ.Env()


def required(name: str, demo_value: Callable[[], str]) -> str:
    value: str = env.str(name, default="")
    if not value and not DEMO:
        refuse_to_start(f"{name} is not set: outside the demo (DEMO=1) it is required.")
    return value or demo_value()


def demo_secret_key() -> str:
    """Return the key of this checkout's demo, made once, readable by its owner only."""
    file = VAR_DIR / "secret_key"
    if not file.exists():
        fresh = VAR_DIR / f"secret_key.{os.getpid()}"
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
        # Complete from the first moment, and the first of several programs wins.
        with suppress(FileExistsError):
            os.link(fresh, file)
        fresh.unlink()
    key = file.read_text().strip()
    if not key:
        refuse_to_start(f"{file.relative_to(BASE_DIR)} is empty: delete it and try again.")
    return key


def demo_base_url() -> str:
    """Return where `make run` serves or last served, so that commands print links that work."""
    file = VAR_DIR / "public_base_url"
    return file.read_text().strip() if file.exists() else "http://127.0.0.1:8000"


# --- the operator's choices --------------------------------------------------------------
DEMO = env.bool("DEMO", default=False)
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = required("SECRET_KEY", demo_secret_key)
# Earlier keys, whose signatures are still accepted.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
PUBLIC_BASE_URL = required("PUBLIC_BASE_URL", demo_base_url).rstrip("/")
PROVIDER_NAME = env.str("PROVIDER_NAME", default="Example Cloud")
# Where the provider's own pages are, and its mailboxes. What is empty is not named on any page.
DEMO_SUPPORT = "support@provider.example" if DEMO else ""
PROVIDER_SUPPORT_EMAIL = env.str("PROVIDER_SUPPORT_EMAIL", default=DEMO_SUPPORT)
PROVIDER_SUPPORT_URL = env.str("PROVIDER_SUPPORT_URL", default="")
PROVIDER_CONSOLE_URL = env.str("PROVIDER_CONSOLE_URL", default="")
PROVIDER_BILLING_URL = env.str("PROVIDER_BILLING_URL", default="")
PROVIDER_ENTERPRISE_URL = env.str("PROVIDER_ENTERPRISE_URL", default="")
PROVIDER_PRIVACY_EMAIL = env.str("PROVIDER_PRIVACY_EMAIL", default="")
CURRENCY = env.str("CURRENCY", default="USD")
ADMIN_URL = env.str("ADMIN_URL", default="admin").strip("/") + "/"
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default=f"no-reply@{urlsplit(PUBLIC_BASE_URL).hostname}"
)
# Of the JWTs that the provider's programs may send to the API.
API_JWT_ISSUER, API_JWT_AUDIENCE = read_api_issuer(env, allow_http=DEMO)
# Where to report a vulnerability (mailto:… or https://…); /.well-known/security.txt names it.
SECURITY_CONTACT = env.str("SECURITY_CONTACT", default="")
# Addresses of the proxies whose X-Forwarded-… headers we trust; none by default.
TRUSTED_PROXIES = env.list("TRUSTED_PROXIES", default=[])

_public = urlsplit(PUBLIC_BASE_URL)
HTTPS = _public.scheme == "https"
if not HTTPS and not DEMO:
    refuse_to_start("PUBLIC_BASE_URL must begin with https:// outside the demo (DEMO=1).")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[]) or [
    _public.hostname or "",
    *(["127.0.0.1", "localhost"] if DEMO else []),
]

# --- apps ---------------------------------------------------------------------------------
INSTALLED_APPS = [
    "integration",
    "association",
    "partners",
    "accounts",
    "outbox",
    "audit",
    "web",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_countries",
    "csp",
    "config.apps.ProviderAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
]
if DEMO:
    # First, as the highest app: no other app may depend on it.
    INSTALLED_APPS.insert(0, "demo")
MIDDLEWARE = [
    "web.middleware.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "web.middleware.PolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "web.middleware.OriginMiddleware",
    "web.request_log.RequestLogMiddleware",
    "web.middleware.CapacityMiddleware",
    "web.middleware.WaitLimitMiddleware",
    # Before all middleware that reads the query or the body.
    "web.body_limits.BodyLimitsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "web.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "web.middleware.SignedInMiddleware",
    "web.middleware.LogInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "web.context_processors.site",
            ],
        },
    },
]
# Finds our own field templates in templates/django/forms/.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- data ---------------------------------------------------------------------------------
DATABASES = {"default": databases.database_settings(env, VAR_DIR / "db.sqlite3")}
DATABASE_POOLER = databases.database_pooler(env)
# Those that `check --deploy` looks for; behind a pooler the role sets them.
DATABASE_LIMITS = databases.STATEMENT_LIMITS
CACHES = {"default": databases.cache_settings(env)}
# How long a request may wait for both, in sum; then the answer is 503.
REQUEST_WAIT_SECONDS = env.int("REQUEST_WAIT_MS", default=2500) / 1000 or None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- users --------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
# Users with this permission see full e-mail addresses in the admin.
FULL_ADDRESS_PERMISSION = "accounts.view_full_address"
AUTHENTICATION_BACKENDS = ["accounts.backends.SignedInBackend"]
PASSWORD_HASHERS = ["accounts.hashers.Argon2idHasher"]
_validation = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": f"{_validation}.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("account_name", "email")},
    },
    {"NAME": f"{_validation}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_validation}.CommonPasswordValidator"},
    {"NAME": "accounts.password_validators.ProviderNameValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "account_home"
LOGOUT_REDIRECT_URL = "account_login"

OIDC_PROVIDERS, PASSWORD_LOGIN = log_in_settings(env, is_demo=DEMO)

ACCOUNT_ADAPTER = "association.adapters.JourneyAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = "account_name"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_FORMS = {
    "login": "accounts.forms.LogInForm",
    "reauthenticate": "accounts.forms.PresentPasswordForm",
}
MFA_ADAPTER = "accounts.adapters.SecondFactorAdapter"
MFA_TOTP_ISSUER = PROVIDER_NAME
MFA_FORMS = {"authenticate": "accounts.forms.SecondFactorForm"}
# web/limits.py counts instead: in one step, with the time to wait, and a page that tells it.
ACCOUNT_RATE_LIMITS = False
# By the beginning of a path: what makes an answer for programs of an error page.
ERROR_ANSWERS = {"/api/v1/": "integration.api.problems.as_problem"}
# Functions that say whether a POST to this path would only be refused; see CapacityMiddleware.
CAPACITY_CHECKS = {"/account/login/": "accounts.hashers.too_many_wait"}
RATE_LIMITS = rate_limits.RATE_LIMITS

# --- cookies ------------------------------------------------------------------------------
# The prefix binds a cookie to this host; browsers reject it over http.
_prefix = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{_prefix}session"
CSRF_COOKIE_NAME = f"{_prefix}csrf"
LANGUAGE_COOKIE_NAME = f"{_prefix}language"
BROWSER_COOKIE_NAME = f"{_prefix}browser"
KNOWN_BROWSER_COOKIE_NAME = f"{_prefix}known_browser"
ACTIVE_COOKIE_NAME = f"{_prefix}active"
MESSAGE_COOKIE_NAME = f"{_prefix}messages"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
# The seven days in which a new account may join, plus one day.
BROWSER_COOKIE_AGE = 8 * 24 * 60 * 60
SESSION_ENGINE = "web.sessions"
# From the log-in on; a member or administrator who is idle is logged out earlier.
SESSION_COOKIE_AGE = 12 * 60 * 60
IDLE_SECONDS = 30 * 60
LANGUAGE_COOKIE_AGE = KNOWN_BROWSER_COOKIE_AGE = 365 * 24 * 60 * 60
MESSAGE_STORAGE = "web.cookies.MessageStorage"

# --- headers --------------------------------------------------------------------------------
# The proxy terminates TLS, redirects http to https, and sets this header.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS and TRUSTED_PROXIES else None
# The proxy redirects (W008), and only the domain's owner can decide about preloading (W021).
SILENCED_SYSTEM_CHECKS = ["security.W008", "security.W021"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]
CSRF_FAILURE_VIEW = "web.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
# What one body may have beside its files: as much as web/body_limits.py lets through.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000

# What a chat loads to show a preview of an invitation's link: association/urls.py, LOGOS in
# partners/models/logos.py, and static/. Models cannot be imported here.
PREVIEWED = ["/i/", "/logo/", "/static/preview"]

# --- quotas -----------------------------------------------------------------------------------
# How many invitations may be made, and how many sent by e-mail, within 24 hours: per partner and in
# total. Used invitations do not count.
PARTNER_DAILY_INVITATIONS = env.int("PARTNER_DAILY_INVITATIONS", default=20_000)
PARTNER_DAILY_MAILS = env.int("PARTNER_DAILY_MAILS", default=10_000)
DAILY_INVITATIONS = env.int("DAILY_INVITATIONS", default=200_000)
DAILY_MAILS = env.int("DAILY_MAILS", default=100_000)

# Days without an answer after which the provider may answer a request to end an association.
END_REQUEST_DAYS = env.int("END_REQUEST_DAYS", default=14)

# --- health ---------------------------------------------------------------------------------
# Functions that return whether their work is delayed; /readyz reports the result by name.
READINESS_NOTES = {"mail": "outbox.services.queue.is_delayed"}

# --- background work ------------------------------------------------------------------------
# Functions that the worker calls beside sending e-mails; see `Background.work()`.
BACKGROUND_WORK: list[str] = [
    "outbox.services.events.number_events",
    "partners.services.batches.make_batches",
    "partners.services.mailings.mail_batches",
    "partners.services.bulk_invitations.act_on_invitations",
    "association.services.bulk_customers.act_on_customers",
    "association.services.last_day_reminders.remind_of_last_day",
    "partners.services.digests.send_digests",
    "integration.services.keys.write_last_uses",
    "integration.services.webhook_queue.tell_of_failing_endpoints",
]
# What the worker does in a thread of its own, because it waits for systems of others.
WORKER_LANES = ["integration.services.webhook_lane.WebhookLane"]
# How long data is kept, and the functions that the worker calls to delete or shorten it.
RETENTION = read_retention(env)
RETENTION_WORK = RETENTION_JOBS
# Functions that return whether such work is unfinished, also while another worker has its rows.
UNFINISHED_WORK = [
    "partners.services.batches.has_running_batches",
    "partners.services.bulk_actions.has_running_bulk_actions",
]

# --- e-mail -------------------------------------------------------------------------------
MAILBOX_DIR = VAR_DIR / "mailbox"
vars().update(
    env.email_url(
        "EMAIL_URL", default=f"filemail:///{MAILBOX_DIR}" if DEMO else "smtp://localhost:25"
    )
)
EMAIL_TIMEOUT = 10

# By the kind of e-mail: the function that hears when one will never arrive, because it became dead
# or its deadline passed, and when it is sent after all.
UNDELIVERED_EMAIL_HANDLERS = {
    "partners.invitation": "partners.services.delivery_state.keep_undelivered",
    "association.advice": "association.services.partner_messages.forget_undelivered_message",
    "association.reminder": "association.services.partner_messages.forget_undelivered_message",
}

# Functions that return an example of each kind of e-mail, for the admin.
EMAIL_SAMPLES = [
    "accounts.email_samples.samples",
    "partners.email_samples.samples",
    "association.email_samples.samples",
    "integration.email_samples.samples",
]

# --- languages and formats ----------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
FORMAT_MODULE_PATH = ["config.formats"]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
# ISO 3166-1 has no codes for these, but people have addresses there. XK is user-assigned: the
# European Commission, the IMF, SWIFT and Unicode CLDR use it. AC and TA are reserved at the request
# of the Universal Postal Union. Other reserved codes (EA, IC, CP, DG) are parts of such countries.
COUNTRIES_OVERRIDE = {
    "AC": _("Ascension Island"),
    "TA": _("Tristan da Cunha"),
    "XK": _("Kosovo"),
}

# --- static files -------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = VAR_DIR / "media"
WHITENOISE_MAX_AGE = 60
# Other origins may use nothing of ours, static files included.
WHITENOISE_ALLOW_ALL_ORIGINS = False

# --- logs and metrics -----------------------------------------------------------------------
LOG_FORMAT = log_format()
LOGGING = logging_settings(env.str("LOG_LEVEL", default="INFO"))
# Off when 0; config/gunicorn.conf.py serves them at this port.
METRICS_PORT = env.int("METRICS_PORT", default=0)
# Read when the metrics are: the name, what it is, and the function that returns it.
METRICS_GAUGES = {
    "outbox_waiting_messages": (
        "E-mails that wait to be sent.",
        "outbox.services.queue.count_waiting",
    ),
    "outbox_delay_seconds": (
        "For how long the e-mail that is due longest has been due.",
        "outbox.services.queue.longest_delay",
    ),
}
