"""Warning about labels in which parts of the body are locked."""

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner

from ...core.errors import list_some
from ...core.locked_parts import describe_locked, locked_parts
from ...registry import HOOKS
from ..batch_samples import read_samples, without_labels

Key = tuple[str, str]
"""Dataset and sequence."""


@HOOKS.register_module()
class LockedPartsHook(Hook):
    """Warn, once for each dataset, if parts of the body never turn in labelled sequences.

    A head that the recording did not track is held still in the labels, and the network learns so.
    A part counts where it does not turn in any clip of a sequence in the first epoch that the
    process trains on the dataset. Priority ``NORMAL``, no state.
    """

    def __init__(self) -> None:
        self._locked: dict[Key, set[str]] = {}
        self._judged: set[str] = set()

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None
    ) -> None:
        """Look at the labels of the batch, before the model moves them to a GPU."""
        samples = read_samples(data_batch)
        datasets = {getattr(sample, 'dataset', None) for sample in without_labels(samples)}
        if datasets <= self._judged:
            return
        for sample in samples:
            dataset = getattr(sample, 'dataset', None)
            body_pose = getattr(getattr(sample, 'gt_instances', None), 'body_pose', None)
            if body_pose is None or dataset in self._judged:
                continue
            key, found = (dataset, sample.sequence), set(locked_parts(body_pose[: sample.length]))
            self._locked[key] = self._locked.get(key, found) & found

    def after_train_epoch(self, runner: Runner) -> None:
        """Warn of the sequences of the epoch."""
        locked: dict[Key, set[str]] = {}
        for part in all_gather_object(self._locked):
            for key, found in part.items():
                locked[key] = locked.get(key, found) & found
        self._locked = {}
        datasets = sorted({dataset for dataset, _ in locked})
        for dataset in datasets:
            self._warn(
                runner, dataset, {n: p for (d, n), p in sorted(locked.items()) if d == dataset}
            )
        self._judged.update(datasets)

    def after_train(self, runner: Runner) -> None:
        """Warn of the rest, where training ends within an epoch."""
        self.after_train_epoch(runner)

    def _warn(self, runner: Runner, dataset: str, sequences: dict[str, set[str]]) -> None:
        bad = {name: sorted(joints) for name, joints in sequences.items() if joints}
        if not bad:
            return
        listed = [f'{name} ({describe_locked(joints)})' for name, joints in bad.items()]
        runner.logger.warning(
            f'{dataset}: in {len(bad)} of the {len(sequences)} sequences of this epoch, the labels '
            f'never turn a part of the body: {list_some(listed, 3, "; ")}. The network learns to '
            'hold it still. Leave such sequences out by `exclude` if the part was not tracked'
        )
