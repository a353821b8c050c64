"""Loading of checkpoints in a run: no code from them is executed, and the network has to fit."""

from contextlib import AbstractContextManager
from typing import Any, Optional

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ...core.errors import CheckpointError
from ...models.stored_config import PARTS, class_name, sizes_of, stored_parts
from ...registry import HOOKS
from ..safe_loading import safe_checkpoint_loading
from ..unwrap import unwrap_model


@HOOKS.register_module()
class SafeLoadingHook(Hook):
    """Load ``load_from``, ``resume`` and ``Pretrained`` weights of a run with a restricted reader.

    MMEngine's loaders are restored when the run ends; a run that fails leaves the restricted one
    in place. Checkpoints of a network of other sizes are refused: with another number of attention
    heads the weights would load, and predict worse. Priority ``VERY_HIGH``, no state.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._loading: Optional[AbstractContextManager] = None

    def before_run(self, runner: Runner) -> None:
        """Replace MMEngine's loaders."""
        if self._loading is None:
            self._loading = safe_checkpoint_loading()
            self._loading.__enter__()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Check the sizes of the network, also for ``runner.load_checkpoint``.

        Raises:
            CheckpointError: If the checkpoint was trained with others.
        """
        model, stored = unwrap_model(runner), stored_parts(checkpoint)
        where = 'model.estimator' if hasattr(model, 'student') else 'model'
        differing = []
        for name in PARTS:
            part = getattr(getattr(model, 'student', model), name, None)
            if part is None or class_name(type(part)) != class_name(
                stored.get(name, {}).get('type')
            ):
                continue
            for field, trained in sizes_of(type(part), stored[name]).items():
                own = getattr(part, field, trained)
                if own != trained:
                    differing.append(f'`{where}.{name}.{field}={trained}` (this run: {own})')
        if differing:
            raise CheckpointError(
                f'the checkpoint was trained with {", ".join(differing)}: build the model '
                'with that. `use_stored_sizes(config, CHECKPOINT)` of gvhmr_da_mm.apis changes a '
                'config so, before `Runner.from_cfg(config)`'
            )

    def after_run(self, runner: Runner) -> None:
        """Restore MMEngine's loaders."""
        if self._loading is not None:
            loading, self._loading = self._loading, None
            loading.__exit__(None, None, None)
