"""gunicorn for the Django applications beside ibanse: every setting of production's own file, and none of its hooks."""

import runpy
from pathlib import Path

_ours = runpy.run_path(str(Path(__file__).parents[3] / "deploy" / "gunicorn.conf.py"))
# By the very type: isinstance would wake Django's lazy settings, which this server sets up later.
_PLAIN = (str, int, bool, type(None))
globals().update({name: value for name, value in _ours.items() if type(value) in _PLAIN})
