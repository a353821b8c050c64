"""Checkpoints that training goes on from as if it had never stopped."""

from typing import Any, Optional

from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import Runner
from torch.utils.data import DataLoader

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

ENTRY = 'training_state'
"""Key of the state in a checkpoint."""


@HOOKS.register_module()
class TrainingStateHook(Hook):
    """Add to each checkpoint what MMEngine leaves out, and set it again when training resumes.

    That is the place in the epoch, the states of the random number generators of every rank, the
    seed of the data, gradients in the middle of an accumulation, the optimisers' counts, and the
    state of all hooks that have ``state_dict`` and ``load_state_dict``. Other hooks have to be
    functions of progress, or start anew.

    Settings of optimisers and schedules that the config changes are those of the config from there
    on, which is logged by name; see :func:`apply_overrides`.

    Everything is set right before the first batch: hooks that have run by then, such as those of
    the beginning of the epoch, have drawn and logged what the interrupted process already had.
    Works with :class:`ResumableTrainLoop`, which calls the stage ``before_first_step``.
    Checkpoints without optimiser, such as best ones, are left as they are. Priority ``VERY_HIGH``,
    so that other hooks see the optimisers' counts.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._random_states: Optional[list[dict]] = None
        self._state: Optional[dict[str, Any]] = None
        self._history: dict = {}

    # -- saving -----------------------------------------------------------------------------------

    def before_save_on_all_ranks(self, runner: Runner) -> None:
        """Collect what other ranks know, as only the first one writes."""
        share_gradients(runner)
        self._random_states = all_gather_object(_random_state(runner))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the state."""
        if 'optimizer' not in checkpoint:
            return
        checkpoint[ENTRY] = dict(
            random_states=self._random_states or [_random_state(runner)],
            data_seed=getattr(_sampler(runner.train_dataloader), 'seed', None),
            optimizers=optimizer_states(runner),
            hooks=hook_states(runner),
        )
        self._random_states = None
        if isinstance(runner.train_loop, ResumableTrainLoop):
            checkpoint[ENTRY]['position'] = runner.train_loop.position()

    # -- going on ---------------------------------------------------------------------------------

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take the state; it is used if training resumes, not if the weights alone are loaded."""
        self._state = checkpoint.get(ENTRY)
        if runner._resume:
            for change in apply_overrides(runner, checkpoint):
                runner.logger.warning(f'The config has changed since the checkpoint: {change}')

    def before_train(self, runner: Runner) -> None:
        """Set the place in the epoch, the data's seed and the optimisers."""
        if runner.iter == 0:
            self._state = None
            return
        if self._state is None:
            runner.logger.warning(
                'The checkpoint has no training state: random numbers, and the epoch if it was '
                'saved in the middle of one, start anew'
            )
            return
        sampler, seed = _sampler(runner.train_dataloader), self._state['data_seed']
        if seed is not None and sampler is not None:
            sampler.seed = seed
        if any(state['gradients'] for state in self._state['optimizers'].values()):
            runner.logger.warning(
                'The accumulated gradients are in the checkpoint and none is lost, whatever '
                'MMEngine says about `_accumulative_counts`'
            )
        self._history = _read_history(runner.message_hub)
        if isinstance(runner.train_loop, ResumableTrainLoop):
            runner.train_loop.go_on_at(**self._state['position'])
        load_optimizer_states(runner, self._state['optimizers'])
        if not isinstance(runner.train_loop, ResumableTrainLoop):
            runner.logger.warning(
                f'{type(runner.train_loop).__name__} does not resume exactly; use '
                '`train_cfg.type=ResumableTrainLoop`'
            )

    def before_first_step(self, runner: Runner) -> None:
        """Set the rest, at the last moment."""
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
    """Return the state of training, which validation leaves alone."""
    return getattr(runner.train_loop, 'training_random_state', None) or random_state()


def _sampler(loader: DataLoader) -> Any:
    """Return what holds the seed: the sampler, inside of a batch sampler where there is one."""
    return getattr(loader.batch_sampler, 'sampler', loader.sampler)
