"""Every setting, each from the environment; production is the default and no secret has one."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ

from mailat.client_address import CLOUDFLARE
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
    "allauth.mfa",
    "audit",
    "engine",
    "vault",
    "accounts",
    "domains",
    "backups",
    "servers",
    "sending",
    "billing",
    "dashboard",
]

MIDDLEWARE = [
    "mailat.middleware.true_address",
    "mailat.middleware.readable",
    "mailat.middleware.request_log",
    "mailat.middleware.agents_first",
    "django.middleware.security.SecurityMiddleware",
    "mailat.middleware.page_headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.sessions.present",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = env.str("ROOT_URLCONF", "mailat.urls")  # the gate's is mailat.gate_urls
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
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
        # Past this many rows Django would throw away counts that still hold somebody off. A count lives a day at most, so it
        # would take more than ten thousand new ones each second of that day; the clock removes those that are over.
        "OPTIONS": {"MAX_ENTRIES": 1_000_000_000},
    }
}

# --- knocks -----------------------------------------------------------------------------------------------------
BROKER_URL = env.str("BROKER_URL")
ENGINE_LEASE_SECONDS = env.int("ENGINE_LEASE_SECONDS", 60)
ENGINE_TICK_SECONDS = env.int("ENGINE_TICK_SECONDS", 5)

# --- the outside world --------------------------------------------------------------------------------------------
HETZNER_API_URL = env.str("HETZNER_API_URL", "https://api.hetzner.cloud/v1")
HETZNER_TOKEN = env.str("HETZNER_TOKEN", "")
HETZNER_IMAGE = env.str(
    "HETZNER_IMAGE", "debian-13"
)  # what a machine begins with where there is no image of ours
IMAGE_BAKING = env.bool("IMAGE_BAKING", True)
CANARY_EVERY = env.int("CANARY_EVERY", 300)  # seconds between two test mails of a server
ACME_DIRECTORY_URL = env.str("ACME_DIRECTORY_URL", "https://acme-v02.api.letsencrypt.org/directory")
GUMROAD_API_URL = env.str("GUMROAD_API_URL", "https://api.gumroad.com/v2")
AWS_API_URL = env.str("AWS_API_URL", "")  # one place instead of all of Amazon's, for a stand-in
GUMROAD_TOKEN = env.str(
    "GUMROAD_TOKEN", ""
)  # with the scope view_sales, for reading and to be told of events
GUMROAD_PRODUCT_URL = env.str("GUMROAD_PRODUCT_URL")
GUMROAD_SUBSCRIPTIONS_URL = env.str("GUMROAD_SUBSCRIPTIONS_URL", "https://gumroad.com/subscriptions")
GUMROAD_PRODUCT_ID = env.str("GUMROAD_PRODUCT_ID")
# Ids of what the seller sells beside Mailat, separated by commas: its pings and sales are left alone without asking anybody.
GUMROAD_OTHER_PRODUCTS = frozenset(
    part.strip() for part in env.str("GUMROAD_OTHER_PRODUCTS", "").split(",") if part.strip()
)
GUMROAD_SELLER_ID = env.str("GUMROAD_SELLER_ID")
GUMROAD_WEBHOOK_SECRET = env.str("GUMROAD_WEBHOOK_SECRET")
# The one before, as long as what Gumroad has in line for it is to be kept; empty for none.
GUMROAD_WEBHOOK_SECRET_BEFORE = env.str("GUMROAD_WEBHOOK_SECRET_BEFORE", "")
# What follows when the newest charge was given back or is disputed: nothing, tell or end; docs/gumroad.md says what that is.
GUMROAD_REFUND_ENDS = env.str("GUMROAD_REFUND_ENDS", "tell")
GUMROAD_DISPUTE_ENDS = env.str("GUMROAD_DISPUTE_ENDS", "tell")
# Backups, by S3; without an address there are none. The keys are for the gate and for workers.
STORAGE_URL = env.str("STORAGE_URL", "")
STORAGE_SIGN_URL = env.str("STORAGE_SIGN_URL", "")  # where servers reach it by another name than we
STORAGE_REGION = env.str("STORAGE_REGION", "")
STORAGE_BUCKET = env.str("STORAGE_BUCKET", "")
STORAGE_ACCESS_KEY = env.str("STORAGE_ACCESS_KEY", "")
STORAGE_SECRET_KEY = env.str("STORAGE_SECRET_KEY", "")
BACKUP_EVERY = timedelta(seconds=env.int("BACKUP_EVERY", 3600))
vars().update(env.email_url("EMAIL_URL"))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("MAIL_FROM")
STAFF_MAIL = env.str("STAFF_MAIL")

# --- keys: a web process is given no private one --------------------------------------------------------------------
SIGNING_KEY_FILE = env.str("SIGNING_KEY_FILE", "")
SIGNING_PUBLIC_KEYS_FILE = env.str("SIGNING_PUBLIC_KEYS_FILE")
# X25519, in PEM, several one after the other: as files, or their text. Public ones for all, private ones for workers alone.
VAULT_PUBLIC_KEYS_FILE = env.str("VAULT_PUBLIC_KEYS_FILE", "")
VAULT_PUBLIC_KEYS = env.str("VAULT_PUBLIC_KEYS", "")
VAULT_PRIVATE_KEYS_FILE = env.str("VAULT_PRIVATE_KEYS_FILE", "")
VAULT_PRIVATE_KEYS = env.str("VAULT_PRIVATE_KEYS", "")
# So long a new key is known before an older one is retired: time to start every process anew.
VAULT_KEYS_OVERLAP = timedelta(seconds=env.int("VAULT_KEYS_OVERLAP", 600))
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
    "recover": "10/h/ip,3/h/key",
    "open_letter": "60/m/ip",
    "invite": "30/h/key",
    "change_address": "5/h/key",
    "sign_in_key": "30/m/ip",
    "second_factor": "20/m/ip,5/5m/key,30/d/key",  # a million codes, of which three are right at any moment
    "prove_link": "20/m/ip,3/m/key,20/h/key",
    "prove_code": "20/m/ip,20/m/key",
}
# So long who showed who they are is not asked again.
STEP_UP_FRESH = timedelta(seconds=env.int("STEP_UP_FRESH", 900))
STAFF_ACTS_ASK = "accounts.staff.prove_first"  # before an act is done; where it leads, or None to go on
MFA_ADAPTER = "accounts.mfa.Adapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_RECOVERY_CODE_DIGITS = 12
MFA_TOTP_ISSUER = "Mailat"
SIGN_IN_LINK_LIFE = timedelta(minutes=15)
INVITATION_LIFE = timedelta(days=7)  # to take part in an account
ADDRESS_CHANGE_LIFE = timedelta(days=1)  # in which both ends must say yes
ADDRESS_LOST_WAIT = timedelta(days=7)  # in which the old end may say no, where nobody reads it any more
RECOVERY_LIFE = timedelta(days=3)  # in which those who are asked must say yes
RECOVERY_WAIT = timedelta(hours=72)  # in which anybody who was asked may still say no
MAILBOX_INVITATION_LIFE = timedelta(days=7)
REMOVED_MAILBOX_KEPT = timedelta(days=7)
# Letters whose link another room makes, when they are sent: a function from a letter's context to a path, or to "" if it is spent.
LETTER_WAYS = {
    "prove": "accounts.stepup.way",
    "new_sign_in": "accounts.sessions.notice_way",
    "person_invited": "accounts.invitations.way",
    "address_confirm": "accounts.address.way",
    "address_notice": "accounts.address.way",
    "recovery_address_confirm": "accounts.recovery_address.way",
    "recover_confirm": "accounts.recovery.way",
    "recover_waits": "accounts.recovery.way",
    "mailbox_invitation": "domains.invitations.way",
}

# --- browsers, and what stands between them and us: docs/proxy.md -------------------------------------------------------
TRUSTED_PROXIES = env.int(
    "TRUSTED_PROXIES", 0
)  # each appends to X-Forwarded-For; no more entries are believed
CLOUDFLARE_RANGES = (
    env.list("CLOUDFLARE_RANGES", default=list(CLOUDFLARE)) if env.bool("BEHIND_CLOUDFLARE", False) else []
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = OVER_TLS
SESSION_COOKIE_NAME = "__Host-session" if OVER_TLS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if OVER_TLS else "csrf"
CSRF_COOKIE_HTTPONLY = True
COUNTRY_HEADER = env.str(
    "COUNTRY_HEADER", ""
)  # in which our own proxy tells two letters, such as CF-IPCountry
CSRF_FAILURE_VIEW = "dashboard.errors.form_forgotten"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # and no cookie of its own
SECURE_SSL_HOST = urlsplit(BASE_URL).netloc if OVER_TLS else None
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if OVER_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = OVER_TLS
HSTS = f"max-age={SECURE_HSTS_SECONDS}; includeSubDomains; preload"  # for what passes no SecurityMiddleware
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if OVER_TLS and TRUSTED_PROXIES else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
WHITENOISE_ALLOW_ALL_ORIGINS = False
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
