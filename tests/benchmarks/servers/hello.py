"""Django with one empty view: the practical limit of the framework, and with HELLO_MIDDLEWARES=1 what many pay."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

# As `django-admin startproject` has them.
_MIDDLEWARES = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
settings.configure(
    ALLOWED_HOSTS=["*"],
    DEBUG=False,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
    ],
    MIDDLEWARE=_MIDDLEWARES if os.environ.get("HELLO_MIDDLEWARES") == "1" else [],
    ROOT_URLCONF=__name__,
    SECRET_KEY="nothing-secret-here",
)


@csrf_exempt
def hello(_: HttpRequest) -> JsonResponse:
    """Respond with an empty object to every request."""
    return JsonResponse({})


urlpatterns = [path("api/v1/validate", hello)]
application = get_wsgi_application()
