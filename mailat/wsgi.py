"""The web process."""

import os

from django.core.wsgi import get_wsgi_application

from mailat import starting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailat.settings")
starting.web()
application = get_wsgi_application()
