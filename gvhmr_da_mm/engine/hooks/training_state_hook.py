"""Training state in checkpoints, so that a resumed run equals an uninterrupted one."""

from typing import Any, Optional

from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from ...core.errors import CheckpointError
from ...registry import HOOKS
from ..loops import ResumableTrainLoop
from ..random_state import random_state, set_random_state
from ..rank_change import rank_change_message
from ..resume_overrides import apply_overrides
from ..training_state import (
    hook_states,
    load_hook_states,
    load_optimizer_states,
    optimizer_states,
    share_gradients,
)

STATE_KEY = 'training_state'
"""Key of the state in a checkpoint."""


@HOOKS.register_module()
class TrainingStateHook(Hook):
    """Save the state that MMEngine's checkpoints lack, and restore it when training resumes.

    The state is the position in the epoch, the random number generators of every rank, the seed of
    the data, gradients of an unfinished accumulation, the optimisers' counts, and all hooks with
    ``state_dict`` and ``load_state_dict``. Other hooks must depend on the progress only, or start
    from their initial state.

    Changed settings of optimisers and schedules in the config replace those of the checkpoint,
    which is logged by name; see :func:`apply_overrides`.

    Random numbers, logs and hooks are restored right before the first batch, because hooks that ran
    before it repeat draws and logs of the interrupted process. Exact only with
    :class:`ResumableTrainLoop`, which calls the stage ``before_first_step``. Checkpoints without
    optimiser, such as best ones, get no state. Priority ``VERY_HIGH``, so that other hooks see the
    optimisers' counts.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._random_states: Optional[list[dict]] = None
        self._state: Optional[dict[str, Any]] = None
        self._history: dict = {}

    # -- saving -----------------------------------------------------------------------------------

    def before_save_on_all_ranks(self, runner: Runner) -> None:
        """Gather the random states of all ranks, as only the first one writes."""
        share_gradients(runner)
        self._random_states = all_gather_object(_random_state(runner))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the state."""
        if 'optimizer' not in checkpoint:
            return
        checkpoint[STATE_KEY] = dict(
            random_states=self._random_states or [_random_state(runner)],
            data_seed=getattr(_sampler(runner.train_dataloader), 'seed', None),
            optimizers=optimizer_states(runner),
            hooks=hook_states(runner),
        )
        self._random_states = None
        if isinstance(runner.train_loop, ResumableTrainLoop):
            checkpoint[STATE_KEY]['position'] = runner.train_loop.position()

    # -- resuming ---------------------------------------------------------------------------------

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Read the state; it is used if training resumes, not if only weights are loaded.

        Raises:
            CheckpointError: If training resumes, and the checkpoint does not know how far it was.
        """
        self._state = checkpoint.get(STATE_KEY)
        if runner._resume:
            if not {'epoch', 'iter'} <= checkpoint.get('meta', {}).keys():
                raise CheckpointError(
                    f'{runner._load_from} holds the weights of a model, and no training that could '
                    'go on: leave `--resume` out and set `load_from` to it'
                )
            for change in apply_overrides(runner, checkpoint):
                runner.logger.warning(f'The config has changed since the checkpoint: {change}')

    def before_train(self, runner: Runner) -> None:
        """Restore the position in the epoch, the seed of the data and the optimisers."""
        if runner.iter == 0:
            self._state = None
            return
        if self._state is None:
            runner.logger.warning(
                'The checkpoint has no training state: random numbers start from the seed, and an '
                'unfinished epoch from its beginning'
            )
            return
        sampler, seed = _sampler(runner.train_dataloader), self._state['data_seed']
        if seed is not None and sampler is not None:
            sampler.seed = seed
        if any(state['gradients'] for state in self._state['optimizers'].values()):
            runner.logger.warning(
                'The accumulated gradients are restored from the checkpoint; ignore the warning '
                'of MMEngine about `_accumulative_counts`'
            )
        self._history = _read_history(runner.message_hub)
        if isinstance(runner.train_loop, ResumableTrainLoop):
            runner.train_loop.resume_at(**self._state['position'])
        load_optimizer_states(runner, self._state['optimizers'])
        if not isinstance(runner.train_loop, ResumableTrainLoop):
            runner.logger.warning(
                f'{type(runner.train_loop).__name__} does not resume exactly; use '
                '`train_cfg.type=ResumableTrainLoop`'
            )

    def before_first_step(self, runner: Runner) -> None:
        """Restore logs, hooks and random numbers."""
        if self._state is None:
            return
        state, self._state = self._state, None
        _write_history(runner.message_hub, self._history)
        load_hook_states(runner, state['hooks'])
        states = state['random_states']
        if len(states) == get_world_size():
            set_random_state(states[get_rank()])
        else:
            batch_size = runner.train_dataloader.batch_sampler.batch_size
            runner.logger.warning(rank_change_message(len(states), get_world_size(), batch_size))


def _read_history(hub: MessageHub) -> dict[str, tuple]:
    # Buffers replace their arrays when a value is added, so these do not change.
    return {name: buffer.data for name, buffer in hub.log_scalars.items()}


def _write_history(hub: MessageHub, history: dict[str, tuple]) -> None:
    before = dict(hub.log_scalars)
    hub.log_scalars.clear()
    for name, data in history.items():
        hub.log_scalars[name] = HistoryBuffer(*data, max_length=before[name].max_length)


def _random_state(runner: Runner) -> dict:
    """Return the random state of training, also during a validation."""
    return getattr(runner.train_loop, 'training_random_state', None) or random_state()


def _sampler(loader: DataLoader) -> Any:
    """Return the sampler that holds the seed, inside a batch sampler where there is one."""
    return getattr(loader.batch_sampler, 'sampler', loader.sampler)
