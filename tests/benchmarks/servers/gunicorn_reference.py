"""gunicorn for the Django applications beside ibanse: every setting of production's own file, and none of its hooks."""

import runpy
from pathlib import Path

_ours = runpy.run_path(str(Path(__file__).parents[3] / "deploy" / "gunicorn.conf.py"))
globals().update({name: value for name, value in _ours.items() if isinstance(value, str | int | bool | None)})
