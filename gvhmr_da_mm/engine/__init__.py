"""Training: hooks, loops, optimisers, their wrappers and model wrappers."""

from .hooks import *  # noqa: F403
from .loops import *  # noqa: F403
from .model_wrappers import *  # noqa: F403
from .optim_wrappers import *  # noqa: F403
from .optimizers import *  # noqa: F403
