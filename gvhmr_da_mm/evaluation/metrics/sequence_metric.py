"""Base class of metrics that score whole sequences of one dataset."""

import logging
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Optional, Union

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from ...core.checks import check_at_least, check_choice
from ...core.conventions import COMPAT_MODES
from ...core.errors import ConfigError, DataError
from ..gathered_metric import GatheredMetric
from ..meshes import PathLike, ProtocolMeshes
from ..protocols import COVERAGE, MATCHED_PREFIX, Protocol, get_protocol

TARGET_FIELDS = ('body_pose', 'betas', 'global_orient', 'transl')


class SkippedSequenceWarning(UserWarning):
    """A sequence, or one of its metrics, could not be scored and is not in the mean."""


class ProtocolWarning(UserWarning):
    """Samples were made under other conditions than the protocol's."""


class SequenceMetric(GatheredMetric):
    """Score the sequences of one dataset by one protocol.

    Every sequence gives one array per metric. Arrays are joined over the sequences and then
    averaged, so that each frame counts once. Samples of other datasets are ignored, so that a test
    loop over several datasets can hold one metric for each. Sequences without ``gt_instances`` are
    not scored; one log line counts them.

    By a protocol that is ``end_to_end``, the frames scored are those that are True in
    ``pred_instances.matched`` as well. The results are then named ``<protocol>/matched_<metric>``,
    and ``<protocol>/coverage`` is the share of the labelled frames that were scored, in per cent;
    a person who was never found counts in it.

    Note:
        State: ``results``, one entry per sequence, cleared by :meth:`evaluate`. After it
        ``per_sequence`` maps each sequence to its number of frames and its means,
        ``skipped_sequences`` those left out to the reason, and ``conditions`` holds the conditions
        and test-time steps of the samples (all on the main process only).

    Args:
        dataset (str, optional): Samples with this ``dataset`` in their metainfo are scored.
            Defaults to None, the protocol's.
        protocol (str | Protocol | dict, optional): Protocol, its name or its fields. Defaults to
            None, the one named as the dataset.
        data_root (str | Path, optional): Data root with the body models. Defaults to None: the
            environment's.
        support_dir (str | Path, optional): Folder of the regressors. Defaults to None: that of the
            data root.
        compat (str): 'correct', or 'published' to reproduce the errors of the reference evaluation:
            differences across frames that were cut out, and division by the trajectory length of a
            motionless root. Defaults to 'correct'.
        strict (bool, optional): Whether differences over time leave out those that span a masked
            frame. Defaults to None: True if ``compat`` is 'correct'.
        frames_per_chunk (int): Meshes computed at a time, a bound on memory. Defaults to 128.
        device (str): Where meshes are computed. Defaults to 'cpu'.
        collect_device (str): Passed to ``BaseMetric``. Defaults to 'cpu'.
        prefix (str, optional): Prefix of the results. Defaults to None, the protocol's name.
        collect_dir (str, optional): Passed to ``BaseMetric``. Defaults to None.

    Raises:
        ConfigError: If an argument has an impossible value.
    """

    space: str
    """Space of the metrics; a protocol for another one is refused."""
    metric_names: tuple[str, ...]
    pred_fields: tuple[str, ...]
    pred_substitutes: Mapping[str, str] = {}
    """Fields, and those that replace them where a prediction has them."""

    def __init__(
        self,
        dataset: Optional[str] = None,
        protocol: Optional[Union[str, Protocol, Mapping[str, Any]]] = None,
        data_root: Optional[PathLike] = None,
        support_dir: Optional[PathLike] = None,
        compat: str = 'correct',
        strict: Optional[bool] = None,
        frames_per_chunk: int = 128,
        device: str = 'cpu',
        collect_device: str = 'cpu',
        prefix: Optional[str] = None,
        collect_dir: Optional[str] = None,
    ) -> None:
        name = type(self).__name__
        if dataset is None and protocol is None:
            raise ConfigError(f'{name} needs `dataset` or `protocol`, got neither')
        check_choice(compat, COMPAT_MODES, 'compat')
        check_at_least(1, frames_per_chunk=frames_per_chunk)
        self.protocol = get_protocol(dataset if protocol is None else protocol)
        if self.protocol.space != self.space:
            raise ConfigError(
                f'{name} scores in {self.space} space, but protocol {self.protocol.name!r} is for '
                f'{self.protocol.space} space: choose another metric or protocol'
            )
        super().__init__(collect_device, prefix or self.protocol.name, collect_dir)
        self.dataset = dataset or self.protocol.dataset
        self.compat = compat
        self.strict = compat == 'correct' if strict is None else strict
        self.frames_per_chunk = frames_per_chunk
        self.meshes = ProtocolMeshes(self.protocol, data_root, support_dir, device)
        self.per_sequence: dict[str, dict[str, float]] = {}
        self.skipped_sequences: dict[str, str] = {}
        self.conditions: dict[str, Any] = {}

    @property
    def protocol_facts(self) -> dict[str, Any]:
        """The protocol, options and conditions as plain values, to be stored with the results."""
        return dict(
            **self.protocol.to_dict(),
            compat=self.compat,
            strict=self.strict,
            conditions=dict(self.conditions),
        )

    def describe(self) -> str:
        """Return protocol, options and conditions in one line, to be printed with the results."""
        settings = {**self.conditions, 'compat': self.compat, 'strict': self.strict}
        facts = ', '.join(f'{name}={value}' for name, value in settings.items())
        return f'{self.protocol.describe()} [{facts}]'

    @abstractmethod
    def score(
        self, pred: dict[str, Tensor], target: dict[str, Tensor], gender: str, mask: Tensor
    ) -> dict[str, Tensor]:
        """Return one array per metric of a sequence.

        Args:
            pred (dict[str, Tensor]): ``pred_fields`` of the M valid frames, (M, ...).
            target (dict[str, Tensor]): ``TARGET_FIELDS`` and T_w2c of the M valid frames, (M, ...).
            gender (str): Gender of the target's body model.
            mask (Tensor): Valid frames, (F,), bool, with M of them True.
        """

    @torch.no_grad()
    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Score the samples of the metric's dataset.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): Samples as dicts, with ``pred_instances``,
                ``gt_instances`` and the metainfo of the dataset.

        Raises:
            DataError: If a sample lacks a field, its predictions and labels differ in length, or a
                scored frame holds numbers that are not finite.
        """
        for sample in data_samples:
            if sample.get('dataset') != self.dataset:
                continue
            result = dict(
                sequence=self._sequence_key(sample),
                labelled=bool(sample.get('gt_instances')),
                labelled_frames=0,
                frames=0,
                values={},
                conditions={**sample.get('conditions', {}), **sample.get('test_time', {})},
            )
            if not result['labelled']:
                self.results.append(result)
                continue
            mask, pred, target = self._read(sample)
            result['labelled_frames'] = int(torch.as_tensor(sample['gt_instances']['mask']).sum())
            if mask.any():
                scores = self.score(pred, target, sample['gender'], mask)
                result['frames'] = int(mask.sum())
                result['values'] = {name: scores[name].cpu().numpy() for name in self.metric_names}
            self.results.append(result)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Average over all frames of all sequences.

        Args:
            results (list[dict]): What :meth:`process` stored.

        Returns:
            dict[str, float]: One number per metric; NaN where no sequence defines it. Empty if
            there was no valid frame with labels.
        """
        # In the order of the names, so that the sum does not depend on the ranks.
        unique = {result['sequence']: result for result in results}
        sequences = [unique[name] for name in sorted(unique)]
        self.skipped_sequences = {}
        self.per_sequence = {}
        results = [result for result in sequences if result['labelled']]
        if len(results) < len(sequences):
            self._skip_unlabelled([r['sequence'] for r in sequences if not r['labelled']])
            if not results:
                return {}
        self.conditions = _merge_conditions([result['conditions'] for result in results])
        for name, difference in self.protocol.differences(self.conditions).items():
            warnings.warn(
                f'{self.prefix}: {name} is {difference}, so the numbers cannot be compared with '
                'published ones',
                ProtocolWarning,
                stacklevel=2,
            )
        for result in results:
            counted = 'labelled_frames' if self.protocol.end_to_end else 'frames'
            if result[counted] == 0:
                self._skip(result['sequence'], 'no valid frame')
                continue
            record = {name: result[name] for name in dict.fromkeys(('frames', counted))}
            record.update(self._coverage([result]))
            for name, values in result['values'].items():
                record[self._result_name(name)] = self._mean([values])
            self.per_sequence[result['sequence']] = record
        scored = [result for result in results if result['frames'] > 0]
        if not self.per_sequence:
            warnings.warn(
                f'{type(self).__name__} ({self.prefix}) saw no valid frame of dataset '
                f'{self.dataset!r}: is it in the test dataloader?',
                SkippedSequenceWarning,
            )
            return {}
        metrics = self._coverage(results)
        for name in self.metric_names:
            values = [self._defined(result, name) for result in scored]
            metrics[self._result_name(name)] = self._mean(values)
        print_log(
            f'{self.prefix}: scored {sum(result["frames"] for result in scored)} frames of '
            f'{len(scored)} sequences, skipped {len(self.skipped_sequences)} '
            f"(compat='{self.compat}', strict={self.strict})",
            logger='current',
        )
        return metrics

    def chunks(self, num_frames: int) -> Iterator[slice]:
        """Cut a number of frames into slices of at most ``frames_per_chunk``."""
        for start in range(0, num_frames, self.frames_per_chunk):
            yield slice(start, start + self.frames_per_chunk)

    @staticmethod
    def scatter(values: Tensor, mask: Tensor) -> Tensor:
        """Return values of the valid frames (M, ...) at their frames (F, ...), zeros elsewhere."""
        full = values.new_zeros(len(mask), *values.shape[1:])
        full[mask.to(values.device)] = values
        return full

    def _read(self, sample: dict) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        """Check a sample and return its mask and the valid frames of its fields."""
        sequence = self._sequence_key(sample)
        target = self._take(sample, 'gt_instances', (*TARGET_FIELDS, 'T_w2c', 'mask'))
        pred = self._take(sample, 'pred_instances', self.pred_fields)
        for name, substitute in self.pred_substitutes.items():
            if substitute in sample['pred_instances']:
                pred[name] = self._take(sample, 'pred_instances', (substitute,))[substitute]
        mask = target.pop('mask').bool().cpu()
        if self.protocol.end_to_end:
            pred['matched'] = self._take(sample, 'pred_instances', ('matched',))['matched'].bool()
        for owner, fields in (('gt_instances', target), ('pred_instances', pred)):
            for name, value in fields.items():
                if len(value) != len(mask):
                    raise DataError(
                        f'`{owner}.{name}` of {self.dataset} sequence {sequence!r} should have '
                        f'{len(mask)} frames, as its mask, got {len(value)}'
                    )
        if self.protocol.end_to_end:
            mask = mask & pred.pop('matched').cpu()
        for owner, fields in (('gt_instances', target), ('pred_instances', pred)):
            for name, value in fields.items():
                fields[name] = value.cpu()[mask]
                if not fields[name].isfinite().all():
                    raise DataError(
                        f'`{owner}.{name}` of {self.dataset} sequence {sequence!r} is not finite '
                        'in a frame that is scored: the model has diverged or the pack is damaged'
                    )
        return mask, pred, target

    def _take(self, sample: dict, owner: str, fields: Sequence[str]) -> dict[str, Tensor]:
        """Return fields of a sample's instances as tensors."""
        instances = sample.get(owner) or {}
        missing = [name for name in fields if name not in instances]
        if missing:
            raise DataError(
                f'{self.dataset} sequence {self._sequence_key(sample)!r} should have {missing} in '
                f'`{owner}`, got {sorted(instances)}'
            )
        return {name: torch.as_tensor(instances[name]) for name in fields}

    def _sequence_key(self, sample: dict) -> str:
        """Name a sequence, and the part of it that the sample is."""
        if 'sequence' not in sample or 'gender' not in sample:
            raise DataError(
                f'a sample of {self.dataset} should have `sequence` and `gender` in its metainfo, '
                f'got {sorted(sample)}'
            )
        name, start = str(sample['sequence']), sample.get('start')
        return f'{name}[{start}:{sample.get("end")}]' if start else name

    def _defined(self, result: dict, name: str) -> np.ndarray:
        """Return the values of a metric, empty if it is not defined on the sequence (RTE)."""
        values = result['values'][name]
        if self.compat == 'correct' and np.isnan(values).any():
            self._skip(result['sequence'], f'{name} is not defined on it')
            return values[:0]
        return values

    def _result_name(self, name: str) -> str:
        """Return the name of a metric in the results."""
        return f'{MATCHED_PREFIX}{name}' if self.protocol.end_to_end else name

    def _coverage(self, results: Sequence[dict]) -> dict[str, float]:
        """Return the coverage of sequences; nothing if boxes are given."""
        if not self.protocol.end_to_end:
            return {}
        labelled = sum(result['labelled_frames'] for result in results)
        return {COVERAGE: 100 * sum(result['frames'] for result in results) / labelled}

    def _skip_unlabelled(self, sequences: Sequence[str]) -> None:
        """Record sequences without labels, with one log line for all of them."""
        self.skipped_sequences.update(dict.fromkeys(sequences, 'no labels'))
        print_log(
            f'{self.prefix}: {len(sequences)} sequence(s) of {self.dataset!r} have no labels and '
            f'are not scored, such as {sequences[0]!r}',
            logger='current',
            level=logging.WARNING,
        )

    def _skip(self, sequence: str, reason: str) -> None:
        """Record and warn that a sequence is left out of the mean."""
        self.skipped_sequences[sequence] = reason
        warnings.warn(
            f'{self.prefix}: {sequence} is left out: {reason}', SkippedSequenceWarning, stacklevel=2
        )

    @staticmethod
    def _mean(arrays: list[np.ndarray]) -> float:
        """Average over all values of all arrays; NaN without any."""
        values = np.concatenate(arrays) if arrays else np.empty(0)
        return float(values.mean()) if values.size else float('nan')


def _merge_conditions(conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the value of each condition, or ``'a | b'`` where the samples differ."""
    merged = {}
    for name in dict.fromkeys(name for one in conditions for name in one):
        values = {str(one.get(name, 'unknown')): one.get(name, 'unknown') for one in conditions}
        only = next(iter(values.values()))
        merged[name] = only if len(values) == 1 else ' | '.join(sorted(values))
    return merged
