"""Every setting, each from the environment; production is the default and no secret has one."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ

from mailat.staff_look import UNFOLD  # noqa: F401

env = environ.Env()
ROOT = Path(__file__).resolve().parent.parent

# --- who we are -----------------------------------------------------------------------------------------------
BASE_URL = env.str("BASE_URL").rstrip("/")
AGENT_URL = env.str("AGENT_URL", BASE_URL).rstrip("/")
OVER_TLS = BASE_URL.startswith("https://")
SERVER_DOMAIN = env.str("SERVER_DOMAIN")
SECRET_KEY = env.str("SECRET_KEY")
DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = sorted(
    {urlsplit(url).hostname or "" for url in (BASE_URL, AGENT_URL)}
    | set(env.list("ALLOWED_HOSTS", default=[]))
)
CSRF_TRUSTED_ORIGINS = [BASE_URL]

INSTALLED_APPS = [
    "mailat",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "audit",
    "engine",
    "accounts",
    "servers",
    "billing",
    "dashboard",
]

MIDDLEWARE = [
    "mailat.middleware.request_log",
    "mailat.middleware.agents_first",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "mailat.middleware.page_headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "mailat.urls"
WSGI_APPLICATION = "mailat.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- what is kept, and where ------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL")}
DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
    "min_size": 1,
    "max_size": env.int("DATABASE_POOL", 12),
    "timeout": 3,  # seconds: Gumroad gives up after five, and a 503 in time brings the ping again
    "max_lifetime": 1800,
}
DATABASES["default"]["OPTIONS"]["prepare_threshold"] = 5  # without it psycopg prepares nothing
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": env.cache_url("CACHE_URL")
    if env.str("CACHE_URL", "")
    else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "django_cache"}
}

# --- knocks -----------------------------------------------------------------------------------------------------
BROKER_URL = env.str("BROKER_URL")
ENGINE_LEASE_SECONDS = env.int("ENGINE_LEASE_SECONDS", 60)
ENGINE_TICK_SECONDS = env.int("ENGINE_TICK_SECONDS", 5)

# --- the outside world --------------------------------------------------------------------------------------------
HETZNER_API_URL = env.str("HETZNER_API_URL", "https://api.hetzner.cloud/v1")
HETZNER_TOKEN = env.str("HETZNER_TOKEN", "")
HETZNER_IMAGE = env.str("HETZNER_IMAGE", "debian-13")
GUMROAD_API_URL = env.str("GUMROAD_API_URL", "https://api.gumroad.com/v2")
GUMROAD_TOKEN = env.str("GUMROAD_TOKEN", "")
GUMROAD_PRODUCT_URL = env.str("GUMROAD_PRODUCT_URL")
GUMROAD_SUBSCRIPTIONS_URL = env.str("GUMROAD_SUBSCRIPTIONS_URL", "https://gumroad.com/subscriptions")
GUMROAD_PRODUCT_ID = env.str("GUMROAD_PRODUCT_ID")
GUMROAD_SELLER_ID = env.str("GUMROAD_SELLER_ID")
GUMROAD_WEBHOOK_SECRET = env.str("GUMROAD_WEBHOOK_SECRET")
vars().update(env.email_url("EMAIL_URL"))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("MAIL_FROM")
STAFF_MAIL = env.str("STAFF_MAIL")

# --- keys: a web process is given no private one --------------------------------------------------------------------
SIGNING_KEY_FILE = env.str("SIGNING_KEY_FILE", "")
SIGNING_PUBLIC_KEYS_FILE = env.str("SIGNING_PUBLIC_KEYS_FILE")
AGENT_BUILD_DIR = Path(env.str("AGENT_BUILD_DIR", str(ROOT / "var" / "agent")))

# --- promises ---------------------------------------------------------------------------------------------------------
DESTRUCTION_GRACE = timedelta(days=7)
AUDIT_KEPT = timedelta(days=365)
METRICS_KEPT_RAW = timedelta(days=1)
METRICS_KEPT_THINNED = timedelta(days=31)

# --- people -----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/overview"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if OVER_TLS else "http"
ACCOUNT_RATE_LIMITS = {
    "sign_in_link": "20/m/ip,3/m/key,10/h/key",
    "sign_in_code": "20/m/ip",
    "sign_in_use": "60/m/ip",
}
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", 0)
SIGN_IN_LINK_LIFE = timedelta(minutes=15)

# --- browsers ---------------------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = OVER_TLS
SESSION_COOKIE_NAME = "__Host-session" if OVER_TLS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if OVER_TLS else "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "dashboard.errors.form_forgotten"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if OVER_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = OVER_TLS
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if OVER_TLS and ALLAUTH_TRUSTED_PROXY_COUNT else None
)
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- words and files ----------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [ROOT / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(ROOT / "var" / "static")))
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

LOGGING_CONFIG = "mailat.logs.configure"
LOGGING = {"format": env.str("LOG_FORMAT", "json"), "level": env.str("LOG_LEVEL", "INFO")}
