"""Where gunicorn enters. WSGI only: the same Django under ASGI measured seven times slower."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ibanse.settings")
django = get_wsgi_application()

from ibanse import api_gate  # noqa: E402 - the API's modules can be imported only now that the apps are loaded

application = api_gate.in_front_of(django)
