"""The English site; ``make docs`` builds it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from site_conf import *  # noqa: E402, F403

language = 'en'
