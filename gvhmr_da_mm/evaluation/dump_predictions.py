"""Dump of the predictions of a test run, to be scored, drawn and exported later."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

from ..registry import METRICS
from ..structures import dump_name, sample_inputs, write_motion_dump
from .dump_index import DumpEntry, name_files, write_index
from .gathered_metric import GatheredMetric


@METRICS.register_module()
class DumpPredictions(GatheredMetric):
    """Write each predicted sequence to ``<out_dir>/<dataset>/<sequence>.npz``, without metrics.

    MMEngine's ``DumpResults`` gathers everything in one pickle at the end; here each rank writes
    each sequence when it is predicted, in a format that holds no code. Final names
    (:func:`name_files`) and the index, which :func:`evaluate_dump` needs, are written last.

    Args:
        out_dir (str | Path): Folder of the files.
        collect_device (str): Passed to ``BaseMetric``. Defaults to 'cpu'.
        collect_dir (str, optional): Passed to ``BaseMetric``. Defaults to None.
    """

    def __init__(
        self,
        out_dir: Union[str, Path],
        collect_device: str = 'cpu',
        collect_dir: Optional[str] = None,
    ) -> None:
        super().__init__(collect_device, prefix=None, collect_dir=collect_dir)
        self.out_dir = Path(os.path.abspath(out_dir))

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Write the samples of a batch.

        Args:
            data_batch (Any): Its ``inputs`` that drawings need are stored.
            data_samples (Sequence[dict]): Samples as dicts, with ``pred_instances``.
        """
        for index, sample in enumerate(data_samples):
            name = dump_name(sample)
            write_motion_dump(self.out_dir / name, sample, sample_inputs(data_batch, index))
            frames = len(next(iter(sample['pred_instances'].values())))
            facts = (sample['dataset'], sample['sequence'], frames, sample.get('start') or 0)
            self.results.append(DumpEntry(name, *facts))

    def compute_metrics(self, results: list[DumpEntry]) -> dict[str, float]:
        """Name the files and write the index.

        Args:
            results (list[DumpEntry]): What :meth:`process` stored.
        """
        unique = {entry.file: entry for entry in results}
        write_index(self.out_dir, name_files(self.out_dir, list(unique.values())))
        return {}
