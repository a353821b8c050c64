"""Length and training data of the runs of a benchmark."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """Steps of the runs; every method gets the same.

    Args:
        source_epochs (int): Epochs on synthetic clips before any method starts. Defaults to 14.
        epochs (int): Epochs of each method. Defaults to 6.
        batches_per_epoch (int): Defaults to 50.
        batch_size (int): Clips of a batch. Defaults to 12.
        filter_clips (int): Windows of each real dataset on which the filter is measured. Defaults
            to 64.
        hold_out (bool): Test on one real training video in four instead of training on it, to
            choose settings. Defaults to False: train on all.
    """

    source_epochs: int = 14
    epochs: int = 6
    batches_per_epoch: int = 50
    batch_size: int = 12
    filter_clips: int = 64
    hold_out: bool = False

    @property
    def steps(self) -> int:
        """Steps of each method."""
        return self.epochs * self.batches_per_epoch

    @property
    def source_steps(self) -> int:
        """Steps of the model that all methods start from."""
        return self.source_epochs * self.batches_per_epoch


FULL = Budget()
QUICK = Budget(source_epochs=6, epochs=3, batches_per_epoch=40, filter_clips=24)
