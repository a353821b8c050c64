"""Training loop that takes several steps for each batch of the data loader."""

from collections import deque
from collections.abc import Sequence
from typing import Any

import torch

from ...core.checks import check_at_least
from ...core.errors import ConfigError
from ...registry import LOOPS
from .resumable_train_loop import ResumableTrainLoop


@LOOPS.register_module()
class ReplayTrainLoop(ResumableTrainLoop):
    """Take several training steps for each new batch, where reading one takes longer than a step.

    Each iteration trains on random batches among the last ones, then on the new one. Noise, dropped
    conditions and dropout are new in each step; hooks and schedules count iterations. The buffer is
    not part of a checkpoint: a resumed run starts with an empty one, so it is not bit-exact.

    Args:
        args: As :class:`ResumableTrainLoop`.
        steps_per_batch (int): Training steps of an iteration. Defaults to 4.
        buffer_size (int): Number of batches to draw from. Defaults to 64.
        kwargs: As :class:`ResumableTrainLoop`.

    Raises:
        ConfigError: If a number is below 1, or gradients are accumulated.

    Source: Choi et al., Faster Neural Network Training with Data Echoing, 2019.
    """

    def __init__(
        self, *args: Any, steps_per_batch: int = 4, buffer_size: int = 64, **kwargs: Any
    ) -> None:
        check_at_least(1, steps_per_batch=steps_per_batch, buffer_size=buffer_size)
        super().__init__(*args, **kwargs)
        self.steps_per_batch = steps_per_batch
        self.buffer: deque[Sequence[dict]] = deque(maxlen=buffer_size)

    def run(self) -> Any:
        """Train; as :class:`ResumableTrainLoop`."""
        counts = getattr(self.runner.optim_wrapper, '_accumulative_counts', 1)
        if counts != 1:
            raise ConfigError(
                '`optim_wrapper.accumulative_counts` should be 1 with ReplayTrainLoop, got '
                f'{counts}: raise `train_dataloader.batch_size` instead'
            )
        return super().run()

    def run_iter(self, idx: int, data_batch: Sequence[dict]) -> None:
        """Train on batches of the buffer, then on the new one.

        Args:
            idx (int): Index of the batch in the epoch, from 0.
            data_batch (Sequence[dict]): The new batch.
        """
        self.buffer.append(data_batch)
        for _ in range(self.steps_per_batch - 1):
            batch = self.buffer[int(torch.randint(len(self.buffer), ()))]
            self.runner.model.train_step(batch, optim_wrapper=self.runner.optim_wrapper)
        super().run_iter(idx, data_batch)
