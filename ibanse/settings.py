"""Every setting, from top to bottom; each value from outside comes through env.py and is listed in deploy/settings.md.

Two modes. *embedded* (the default) is one process on one machine with nothing to install beside Python: SQLite files
and secrets live in IBANSE_DATA_DIR. *production* runs behind nginx with PostgreSQL and Redis, and refuses to start
when a value is missing.
"""

from pathlib import Path
from typing import Any

import dj_database_url
import django
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from ibanse.config import env, hosting, mail_url, security_contact, subprocessors

BASE_DIR = Path(__file__).resolve().parent.parent
EMBEDDED = env.text("IBANSE_MODE", "embedded", choices=("embedded", "production")) == "embedded"
DATA_DIR = Path(env.text("IBANSE_DATA_DIR", str(BASE_DIR / ".data")))
DEBUG = EMBEDDED and env.flag("IBANSE_DEBUG", default=False)

# --- Hosts, keys and the operator ------------------------------------------------------------------------------------
# The first signs links and sessions; what an older one behind it has signed stays valid.
SECRET_KEY, *SECRET_KEY_FALLBACKS = env.secret("IBANSE_SECRET_KEY", made_in=DATA_DIR if EMBEDDED else None)
ALLOWED_HOSTS = env.listing("IBANSE_HOSTS", "localhost,127.0.0.1,[::1]" if EMBEDDED else None)
# The one header that nginx overwrites with the caller's address; embedded, the peer of the socket is the caller.
CLIENT_ADDRESS_META_KEY = "REMOTE_ADDR" if EMBEDDED else "HTTP_X_REAL_IP"
# Sign what must be provable later: receipts, checkpoints of the audit log. Old versions stay, to verify old signatures.
SIGNING_KEYS = env.numbered_keys("IBANSE_SIGNING_KEYS", made_in=DATA_DIR if EMBEDDED else None)
# API keys are stored as HMACs under the newest pepper; older ones stay as long as a key needs them.
PEPPERS = env.numbered_keys("IBANSE_PEPPERS", made_in=DATA_DIR if EMBEDDED else None)
RATELIMIT_IP_META_KEY = "accounts.guard.addresses.caller"
# Links in mails begin with this, never with the Host header of a request.
SITE_URL = env.text(
    "IBANSE_SITE_URL", f"http://localhost:{env.text('PORT', '8000')}" if EMBEDDED else f"https://{ALLOWED_HOSTS[0]}"
).rstrip("/")
OPERATOR_NAME = env.text("IBANSE_OPERATOR_NAME", "")
OPERATOR_ADDRESS = env.text("IBANSE_OPERATOR_ADDRESS", "")
OPERATOR_NUMBER = env.text("IBANSE_OPERATOR_NUMBER", "")
# Who else processes personal data, for agreements with clients; None: not stated.
SUBPROCESSORS = subprocessors.parse(env.text("IBANSE_SUBPROCESSORS", ""))
# Receives messages of the contact form; without one there is no form.
CONTACT_ADDRESS = env.mail_address("IBANSE_CONTACT_ADDRESS", otherwise=OPERATOR_ADDRESS)
SECURITY_CONTACTS = security_contact.parse(env.text("IBANSE_SECURITY_CONTACT", ""), instead=OPERATOR_ADDRESS)
# The results of the tests behind /security/; only a release brings them: `make release`.
EVIDENCE_FILE = BASE_DIR / "evidence.json"
# The operator's statements on where the service runs: shown as such, since no test can prove them.
HOSTING = hosting.Hosting(
    provider=env.text("IBANSE_HOSTING_PROVIDER", ""),
    country=env.text("IBANSE_HOSTING_COUNTRY", ""),
    certificates=env.listing("IBANSE_HOSTING_CERTIFICATES", ""),
    documents=hosting.documents(env.text("IBANSE_HOSTING_DOCUMENTS", "")),
)
AUTH_USER_MODEL = "accounts.User"
# Networks from which staff may sign in; empty: any.
STAFF_NETWORKS = env.networks("IBANSE_STAFF_NETWORKS")

# --- Apps, middleware and templates ----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "ibanse.apps.SiteConfig",
    "accounts",
    "accounts.guard",
    "apikeys",
    "privacy",
    "privacy.vault",
    "validation",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    # Without autodiscovery: ibanse/backoffice/site.py names what the back-office has.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    # First: a call of the API needs nothing of what follows.
    "ibanse.api_gate.api_gate",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.auth.presence.PresenceMiddleware",
    "accounts.auth.preferences.PreferencesMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "accounts.auth.second_factor.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "ibanse.errors.CounterOutageMiddleware",
]
ROOT_URLCONF = "ibanse.urls"
WSGI_APPLICATION = "ibanse.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Those of Django's admin after ours; of no other app, so that a missing page of ours is noticed.
        "DIRS": [BASE_DIR / "templates", Path(django.__file__).parent / "contrib" / "admin" / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ibanse.menu.menu",
                "ibanse.backoffice.site.menu",
                "privacy.deletion.banner.banner",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    },
]

# --- Signing in ------------------------------------------------------------------------------------------------------
SIGNUP = env.text("IBANSE_SIGNUP", "open", choices=("open", "invite", "closed"))
TERMS_VERSION = "2026-11"
AUTHENTICATION_BACKENDS = ["accounts.auth.backend.EmailBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.auth.passwords.NotLikeTheUserValidator"},
]
LOGIN_URL = "account_login"
SESSION_ENGINE = "accounts.auth.sessions"
SESSION_COOKIE_NAME = "session"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SAMESITE = "Lax"
# The session is sealed; the default would put messages, which may name people, into a cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
ACCOUNT_ADAPTER = "accounts.auth.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
# Sign-up has its own form; allauth needs to know that there are e-mail addresses and passwords.
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60
# Required besides the password after many wrong ones: see accounts/auth/wrong_passwords.py.
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = False  # accounts/auth/credential_events.py notifies of the same changes.
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 5 * 60
# Per IP address and per mailbox. A stricter limit per mailbox would let anybody lock its owner out. A browser that is
# known for the mailbox (accounts/auth/devices.py) has counts of its own, or its neighbours could do so.
ACCOUNT_RATE_LIMITS = {
    "login": "",  # Counted by our view around allauth's, as the next two.
    "sign_in": "30/m/ip",
    "sign_in_known": "30/m/key",
    "login_failed": "10/m/ip,5/300s/key",
    "sign_in_code": "5/600s/key",
    "sign_in_code_tried": "3/900s/key",
    "signup_mail": "5/600s/key",
    "reset_password": "20/m/ip,5/600s/key",
    "change_email": "5/h/user",
    "code": "20/m/ip",
}
ACCOUNT_FORMS = {
    "login": "accounts.auth.forms.SignInForm",
    "change_password": "accounts.auth.forms.ChangePasswordForm",
    "set_password": "accounts.auth.forms.SetPasswordForm",
    "reset_password": "accounts.auth.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.auth.forms.NewPasswordForm",
    "confirm_password_reset_code": "accounts.auth.forms.ResetCodeForm",
    "confirm_login_code": "accounts.auth.forms.SignInCodeForm",
    "confirm_email_verification_code": "accounts.auth.forms.EmailCodeForm",
    "reauthenticate": "accounts.auth.forms.PasswordAgainForm",
}
MFA_ADAPTER = "accounts.auth.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "ibanse"
# A code of the step before still counts: phones' clocks drift, and people type slowly.
MFA_TOTP_TOLERANCE = 1
# Passkeys are bound to https and a name; browsers make an exception for localhost, and so do we, there only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = EMBEDDED
MFA_FORMS = {
    "authenticate": "accounts.auth.forms.FactorCodeForm",
    "reauthenticate": "accounts.auth.forms.FactorCodeAgainForm",
    "activate_totp": "accounts.auth.forms.ActivateTOTPForm",
    "add_webauthn": "accounts.auth.forms.AddPasskeyForm",
    "edit_webauthn": "accounts.auth.forms.RenamePasskeyForm",
}

# --- Mail ------------------------------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("IBANSE_MAIL_FROM", "ibanse <ibanse@localhost>" if EMBEDDED else None)
_mail = mail_url.parse(env.text("EMAIL_URL", "console:" if EMBEDDED else None))
EMAIL_BACKEND = _mail.backend
EMAIL_FILE_PATH = _mail.folder
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.starttls, _mail.tls
EMAIL_TIMEOUT = 10

# --- Databases, caches and folders -----------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Values bound by the server never reach its log in clear; pool × workers must stay below max_connections.
_on_postgresql: dict[str, Any] = {
    "server_side_binding": True,
    "pool": {"min_size": 1, "max_size": env.number("IBANSE_DATABASE_POOL", 4, least=1, most=64), "timeout": 10},
}
_database = dj_database_url.parse(
    env.text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'site.sqlite3'}" if EMBEDDED else None)
)
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a transaction that writes waits at its start, instead of failing half-way as "locked".
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    _database["OPTIONS"] = {**_database.get("OPTIONS", {}), **_on_postgresql}
DATABASES = {"default": _database}
# Counters of all workers; in embedded mode there is one process, and its memory is enough.
REDIS_URL = "" if EMBEDDED else env.text("REDIS_URL")
# A server that hangs costs a second. One immediate retry, since after a restart every pooled connection is broken; by
# default it would be tried for several seconds.
REDIS_OPTIONS: dict[str, Any] = {
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
    "retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
}
# Records of API calls wait here for the database: on a local disk, not a network share.
SPOOL_DIR = Path(env.text("IBANSE_SPOOL_DIR", str(DATA_DIR / "spool")))
# Encrypted copies of clients' data, for a day: with several machines a folder that all of them share.
EXPORT_DIR = Path(env.text("IBANSE_EXPORT_DIR", str(DATA_DIR / "exports")))
# The erasure ledger, for the day on which a backup is restored: outside both databases, since no restore may rewind it.
ERASURE_LEDGER = Path(
    env.text("IBANSE_LEDGER", str(DATA_DIR / "erasures.ledger") if EMBEDDED else "/var/lib/ibanse/erasures/ledger")
)
# When both databases were backed up last, written by deploy/backup.
BACKUP_STAMP = Path(
    env.text(
        "IBANSE_BACKUP_STAMP", str(DATA_DIR / "backups.json") if EMBEDDED else "/var/lib/ibanse/backups/backups.json"
    )
)
# The command that ships the ledger off this machine after each deletion.
LEDGER_SHIP = env.text("IBANSE_LEDGER_SHIP", "")
CACHES: dict[str, dict[str, Any]] = {
    # In one process memory is a shared cache; with several, limits need the atomic counters of Redis or Valkey.
    # For many callers: a full memory cache drops a third of its counters.
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
    if EMBEDDED
    else {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL, "OPTIONS": REDIS_OPTIONS}
}

# --- The vault -------------------------------------------------------------------------------------------------------
# Encrypt each owner's data key: the highest version is for new ones; a lower one stays as long as a data key needs it.
MASTER_KEYS = env.numbered_keys("IBANSE_MASTER_KEYS", made_in=DATA_DIR if EMBEDDED else None)
# Apart from the data: beside it, a destroyed data key would live on in the data's own log and backups.
_keyring = dj_database_url.parse(
    env.text("KEYRING_DATABASE_URL", f"sqlite:///{DATA_DIR / 'keyring.sqlite3'}" if EMBEDDED else None)
)
if _keyring["ENGINE"] == "django.db.backends.sqlite3":
    _keyring["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
        # FULL: a data key lost in a power cut would make all that it had encrypted unreadable. secure_delete overwrites
        # a destroyed one with zeros.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
    }
else:
    _keyring["OPTIONS"] = {**_keyring.get("OPTIONS", {}), **_on_postgresql}
DATABASES["keyring"] = _keyring
DATABASE_ROUTERS = ["privacy.vault.routing.KeyringRouter"]

# --- Personal data ---------------------------------------------------------------------------------------------------
# The sources of personal data, counted, exported and pruned one by one: see privacy/inventory/registry.py.
PERSONAL_DATA = (
    "accounts.personal_data.source.AccountData",
    "apikeys.personal_data.ApiKeyData",
    "privacy.inventory.own_data.PrivacyData",
    "validation.records.personal_data.CheckRecordData",
)

# --- Languages -------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "sv"
LANGUAGES = [("sv", _("Swedish")), ("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "ibanse" / "locale"]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = not EMBEDDED
TIME_ZONE = "Europe/Stockholm"
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = ["ibanse.formats"]

# --- Static files ----------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Security headers, cookies and request limits --------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_PROXY_SSL_HEADER = None if EMBEDDED else ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = not EMBEDDED
# Monitoring on this machine may call without encryption; nothing in the response needs it.
SECURE_REDIRECT_EXEMPT = [r"^health(/|$)"]
SECURE_HSTS_SECONDS = 0 if EMBEDDED else 2 * 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = not EMBEDDED
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = not EMBEDDED
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50
# W021 asks for the preload list of browsers; that binds a whole domain for years and is its owner's decision.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

# --- Bank data -------------------------------------------------------------------------------------------------------
# The folder with Pay.UK's valacdos.txt and scsubtab.txt; empty: British account numbers are not checked.
BRITISH_TABLES = env.text("IBANSE_BRITISH_TABLES", "")

# --- Limits ----------------------------------------------------------------------------------------------------------
CLIENT_CHECKS_PER_MINUTE = env.number("IBANSE_CLIENT_CHECKS_PER_MINUTE", 300, least=1, most=100_000)
ANONYMOUS_CHECKS_PER_MINUTE = env.number("IBANSE_ANONYMOUS_CHECKS_PER_MINUTE", 30, least=1, most=100_000)

MOST_CALLS_PER_MINUTE = env.number("IBANSE_MOST_CALLS_PER_MINUTE", 6_000, least=1, most=10_000_000)

# --- Logging ---------------------------------------------------------------------------------------------------------
# No line has an IBAN, a key or an e-mail address; what Python would print by itself is logged as well.
LOGGING_CONFIG = "ibanse.logging.masking.configure"
# Encrypted with these the log is in LOG_DIR, see ibanse/logging/handler.py; without any (`plain`) it goes to standard
# error as it is.
LOG_KEYS = env.log_keys("IBANSE_LOG_KEY", "plain" if EMBEDDED else None)
LOG_DIR = Path(env.text("IBANSE_LOG_DIR", str(DATA_DIR / "logs")))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "ibanse.logging.masking.MaskingFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "handlers": {
        "terminal": {"class": "logging.StreamHandler", "formatter": "line"},
        # In this order: the journal says where the sealed line is.
        "sealed": {"()": "ibanse.logging.handler.of_this_process", "folder": LOG_DIR, "keys": LOG_KEYS},
        "journal": {"()": "ibanse.logging.handler.Journal"},
    },
    "root": {"handlers": ["sealed", "journal"] if LOG_KEYS else ["terminal"], "level": "WARNING"},
    "loggers": {
        # Django's own handlers would mail a traceback, request and all, to the administrators.
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        # Those of its development server would write requests unmasked.
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
    },
}
