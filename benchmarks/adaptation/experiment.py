"""The runs of a benchmark, and the check of which are finished."""

import hashlib
import json
import logging
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional, Union

from mmengine.config import Config

from benchmarks.adaptation.budget import Budget
from benchmarks.adaptation.methods import Method
from benchmarks.adaptation.result_file import RESULT_FILE, read_result
from benchmarks.adaptation.run_config import (
    describe,
    final_checkpoint,
    method_config,
    source_config,
)
from gvhmr_da_mm.apis import check_files
from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.datasets.packs.pack_writer import file_sha256
from gvhmr_da_mm.registry import DATASETS

PathLike = Union[str, Path]
SOURCE_MODEL = 'source_model'
"""Folder of the runs that all methods start from."""


@dataclass
class Run:
    """One training.

    Attributes:
        name (str): Name of the method, or ``source_model``.
        seed (int): Its seed.
        folder (Path): Its work directory.
        config (Config): Its config.
        fingerprint (str): Hash of the config, the data and the run it starts from.
        settings (dict): Settings for the worker besides the config.
        source (Run, optional): The run it starts from.
        is_start (bool): Whether others start from its checkpoint.
    """

    name: str
    seed: int
    folder: Path
    config: Config
    fingerprint: str
    settings: dict[str, Any]
    source: Optional['Run'] = None
    is_start: bool = False

    def result(self) -> Optional[dict[str, Any]]:
        """Return the result of a run with this fingerprint; None if there is no such result."""
        result = read_result(self.folder / RESULT_FILE)
        if result is None or result.get('fingerprint') != self.fingerprint:
            return None
        return result

    def finished(self) -> bool:
        """Return whether the run has a result, and its checkpoint if others start from it."""
        result = self.result()
        if result is None or result.get('status') != 'finished':
            return False
        return not self.is_start or final_checkpoint(self.config).is_file()


class Experiment:
    """All runs on one data root.

    Args:
        methods (Sequence[Method]): Methods to compare.
        seeds (int): Trainings of each method, paired by the model they start from.
        out (str | Path): Folder of results.
        data_root (str | Path): Data root.
        config_dir (str | Path): Folder of the shipped configs.
        budget (Budget): Length of the runs.

    Raises:
        ConfigError: If ``seeds`` is below 1, or an override of a method is wrong.
        MissingFilesError: If files of the data are missing.
        DataError: If a dataset holds no clips, or none can be held out.
    """

    def __init__(
        self,
        methods: Sequence[Method],
        seeds: int,
        out: PathLike,
        data_root: PathLike,
        config_dir: PathLike,
        budget: Budget,
    ) -> None:
        if seeds < 1:
            raise ConfigError(f'`--seeds` should be at least 1, got {seeds}')
        self.methods = list(methods)
        self.seeds = seeds
        self.out = Path(out).absolute()
        self.data_root = Path(data_root).absolute()
        self.config_dir = Path(config_dir)
        self.budget = budget
        self._data = data_fingerprint(self.data_root)
        sources = [self._source_run(seed) for seed in range(seeds)]
        adapted = [run for source in sources for run in self._method_runs(source)]
        self.runs = [*sources, *adapted]
        self._check(sources[0].config, adapted)

    def _source_run(self, seed: int) -> Run:
        folder = self._folder(SOURCE_MODEL, seed)
        config = source_config(self.config_dir, self.data_root, self.budget, seed, folder)
        return self._run(SOURCE_MODEL, seed, folder, config, {}, is_start=True)

    def _method_runs(self, source_model: Run) -> list[Run]:
        """Return the runs of the methods that belong to one source model."""
        runs: dict[str, Run] = {}
        # What others start from comes first, however the methods are listed.
        for method in sorted(self.methods, key=lambda method: method.start is not None):
            source = source_model if method.start is None else runs[method.start]
            runs[method.name] = self._method_run(method, source)
        return [runs[method.name] for method in self.methods]

    def _method_run(self, method: Method, source: Run) -> Run:
        folder = self._folder(method.name, source.seed)
        config = method_config(
            method,
            *(self.config_dir, self.data_root, self.budget, source.seed, folder),
            load_from=final_checkpoint(source.config),
        )
        settings = dict(filter_clips=self.budget.filter_clips if method.has_filter else 0)
        is_start = method.name in {other.start for other in self.methods}
        return self._run(method.name, source.seed, folder, config, settings, source, is_start)

    def _run(
        self,
        name: str,
        seed: int,
        folder: Path,
        config: Config,
        settings: dict,
        source: Optional[Run] = None,
        is_start: bool = False,
    ) -> Run:
        content = dict(
            config=describe(config, self.data_root),
            data=self._data,
            settings=settings,
            source=source.fingerprint if source else None,
        )
        text = json.dumps(content, sort_keys=True)
        fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
        settings = dict(name=name, seed=seed, fingerprint=fingerprint, **settings)
        return Run(name, seed, folder, config, fingerprint, settings, source, is_start)

    def _folder(self, name: str, seed: int) -> Path:
        return self.out / 'runs' / name / f'seed_{seed}'

    def _check(self, source: Config, runs: list[Run]) -> None:
        """Check all files and clips before the first run."""
        check_files(source, 'model', 'train_dataloader')
        seen = set()
        for run in runs:
            content = json.dumps([describe(run.config, self.data_root)[n] for n in _LOADERS])
            if run.seed == 0 and content not in seen:
                seen.add(content)
                check_files(run.config, 'model', *_LOADERS, 'test_evaluator')
                for loader in _LOADERS:
                    _check_clips(run.config[loader].dataset)


_LOADERS = ('train_dataloader', 'test_dataloader')


def _check_clips(config: dict) -> None:
    """Check that every dataset has clips; the log of the run describes them."""
    logging.disable(logging.INFO)
    try:
        datasets = DATASETS.build(config).datasets.values()
    finally:
        logging.disable(logging.NOTSET)
    for dataset in datasets:
        if not len(dataset):
            meta = dataset.metainfo
            raise DataError(f'dataset {meta["dataset_name"]!r} has no usable clip: {meta}')


def data_fingerprint(data_root: PathLike) -> str:
    """Return a hash of the packs, body models and support files of a data root.

    Image features of single clips are not included: they are many, and belong to a pack.
    """
    root = Path(data_root)
    patterns = ('*/hmr4d_support/*.pt', '*/hmr4d_support/*.pth', 'body_models/**/*', 'support/*')
    files = sorted({p for pattern in patterns for p in root.glob(pattern) if p.is_file()})
    listed = [(p.relative_to(root).as_posix(), _content(p)) for p in files]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:16]


def _content(path: Path) -> Any:
    """Return a fingerprint of a file's content."""
    try:
        # Files of torch and numpy are archives whose index has checksums: no need to read them.
        with zipfile.ZipFile(path) as archive:
            return [(member.filename, member.CRC) for member in archive.infolist()]
    except zipfile.BadZipFile:
        return file_sha256(path)


def budget_settings(budget: Budget) -> dict[str, Any]:
    """Return a budget for a report."""
    return dict(asdict(budget), steps=budget.steps, source_steps=budget.source_steps)
