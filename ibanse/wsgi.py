"""Where gunicorn enters. WSGI only: the same Django under ASGI measured seven times slower."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ibanse.settings")
application = get_wsgi_application()
