"""Publication of a trained model: half-precision weights and a card."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Optional, Union

from mmengine.config import Config

from ..config.loading import load_config, set_data_root
from ..config.stored import check_stored
from ..core.checks import check_at_least
from ..core.errors import CheckpointError, ConfigError, DataError, MissingFilesError
from ..demo.body import stand_in_root
from ..fileio.atomic_file import write_atomically
from ..fileio.safetensors_file import encode_tensors
from ..models.checkpoint_comparison import compare, require_fit
from ..models.checkpoint_reading import read_checkpoint
from ..models.model_card import CARD_SUFFIX, FORMAT, VERSION, WEIGHTS_SUFFIX, ModelCard
from ..models.stored_config import stored_config
from ..models.weights_to_publish import LEFT_OUT, to_half, weights_to_publish
from ..registry import MODELS
from ..registry.arguments import checks_flags
from ..version import __version__
from .stored_sizes import use_stored_sizes

PathLike = Union[str, Path]
MAX_MB = 12.0
"""Largest weights file in 10^6 bytes, so that the package stays small."""
NAME = re.compile(r'[a-z0-9][a-z0-9._-]*')
FACTS = dict(description=str, license=str, data=list, limits=list)
DATA_FACTS = dict(name=str, subjects=list, terms=str, notice=str)
METRICS = ('mocap', 'calibrated', 'calibrated_mean')


@checks_flags
def publish_model(
    checkpoint: PathLike,
    name: str,
    facts: Union[PathLike, Sequence[PathLike]],
    out_dir: PathLike,
    summary: Optional[PathLike] = None,
    config: Optional[PathLike] = None,
    overwrite: bool = False,
    max_mb: float = MAX_MB,
    true_motions: int = 0,
) -> Path:
    """Write ``NAME.safetensors`` and ``NAME.json`` from a checkpoint of training.

    The weights are those of the network, with the statistics of motion; of an adapted model those
    of the network that predicts, and of the critic. Matrices are stored in half precision. The same
    arguments give the same bytes.

    Args:
        checkpoint (str | Path): Of :class:`GVHMR` or :class:`DomainAdaptiveGVHMR`.
        name (str): Name of the model: small letters, digits, ``.``, ``_`` and ``-``.
        facts (str | Path): JSON file with ``description``, ``license``, ``data`` (a list of
            ``name``, ``subjects``, ``terms``, ``notice`` and others), ``limits`` (a list of
            sentences) and, if there is more to say than the config does, ``training``; or several
            files, of which a later one replaces facts of those before.
        out_dir (str | Path): Folder of both files.
        summary (str | Path, optional): ``summary.json`` of ``evaluate_keypoint_model.py``. Defaults
            to None: the card has no metrics.
        config (str | Path, optional): Config of the model; sizes that the checkpoint knows replace
            its own. Defaults to None: that stored in the checkpoint.
        overwrite (bool): Whether to replace another model of that name. Defaults to False.
        max_mb (float): Largest weights file, 10^6 bytes. Defaults to 12.
        true_motions (int): Motions of the queue of the critic to publish with it, without which the
            model cannot be adapted without labelled clips. They are copies of recordings, which the
            terms of all of them have to allow. Defaults to 0.

    Returns:
        Path: The weights file.

    Raises:
        MissingFilesError: If a file does not exist.
        CheckpointError: If the weights do not fit the config, are not finite, too many, or hold
            anything else than the network and the critic.
        ConfigError: If the name or the config cannot be published, or a file would be overwritten.
        DataError: If a fact is missing.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            f'the name of a model should be of small letters, digits, `.`, `_` and `-`: {name!r}'
        )
    check_at_least(0, true_motions=true_motions)
    known = _read_facts([facts] if isinstance(facts, (str, Path)) else facts)
    metrics = {} if summary is None else _read_metrics(Path(summary))
    source = read_checkpoint(checkpoint)
    trained = stored_config(source.content)
    model = _model_of(trained, config, str(source.path))
    weights = weights_to_publish(source.state_dict, model, str(source.path), true_motions)
    if true_motions:
        queue = model['critic'].setdefault('queue', dict(type='MotionQueue'))
        queue['size'] = true_motions
    _check_fit(weights, model, str(source.path))
    arrays = to_half(weights, str(source.path))
    content = encode_tensors(arrays, dict(format=FORMAT, version=str(VERSION), name=name))
    if len(content) > max_mb * 1e6:
        raise CheckpointError(_too_large(len(content), max_mb, arrays, str(source.path)))
    training = {**_training_of(trained, source.content.get('meta')), **known.pop('training', {})}
    card = ModelCard(
        name=name,
        package_version=__version__,
        weights=dict(
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
            parameters=sum(array.size for array in arrays.values()),
        ),
        config=dict(model=model),
        training=training,
        metrics=metrics,
        **known,
    )
    path = Path(out_dir) / f'{name}{WEIGHTS_SUFFIX}'
    _write({path: content, path.with_suffix(CARD_SUFFIX): card.to_json().encode()}, overwrite)
    return path


def _read_json(path: Path, what: str) -> dict[str, Any]:
    if not path.is_file():
        raise MissingFilesError(f'there is no {what} {str(path)!r}')
    try:
        values = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise DataError(f'{path} should be a JSON file ({error})') from error
    if not isinstance(values, dict):
        raise DataError(f'{path} should hold a JSON object, got {type(values).__name__}')
    return values


def _read_facts(paths: Sequence[PathLike]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for path in paths:
        more = _read_json(Path(path), 'file of facts')
        unknown = sorted(set(more) - {*FACTS, 'training'})
        if unknown:
            raise DataError(f'{path}: unknown facts {unknown}; expected {[*FACTS, "training"]}')
        facts.update(more)
    where = ', '.join(map(str, paths))
    _check_facts(facts, FACTS, where)
    for index, source in enumerate(facts['data']):
        _check_facts(source, DATA_FACTS, f'{where}: `data.{index}`')
    return facts


def _check_facts(facts: Any, wanted: Mapping[str, type], where: str) -> None:
    for name, kind in wanted.items():
        value = facts.get(name) if isinstance(facts, dict) else None
        if not isinstance(value, kind) or not value:
            raise DataError(
                f'{where} should have `{name}`, a {kind.__name__} that is not empty, got {value!r}'
            )


def _read_metrics(path: Path) -> dict[str, Any]:
    summary = _read_json(path, 'summary')
    metrics = {name: summary[name] for name in METRICS if name in summary}
    if not metrics:
        raise DataError(
            f'{path} should be a `summary.json` of evaluate_keypoint_model.py, with '
            f'{" or ".join(METRICS)}, got {sorted(summary)}'
        )
    return metrics


def _model_of(
    trained: Mapping[str, Any], config: Optional[PathLike], source: str
) -> dict[str, Any]:
    """Return the config of the model as the card holds it."""
    if config is not None:
        content = load_config(config)
        use_stored_sizes(content, source)
        source, trained = str(config), stored_config(dict(meta=dict(cfg=content.pretty_text)))
    model = trained.get('model')
    if not isinstance(model, dict):
        raise ConfigError(f'{source} holds no config of its model: name one by `--config`')
    model = _without_data_root(model)
    check_stored(model, 'model', source)
    paths = _absolute_paths(model, 'model')
    if paths:
        raise ConfigError(
            f'{source}: {", ".join(paths)} is a path of this machine, which a card cannot hold: '
            'name a config without it by `--config`'
        )
    return model


def _without_data_root(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: None if key == 'data_root' else _without_data_root(item)
            for key, item in value.items()
        }
    return [_without_data_root(item) for item in value] if isinstance(value, list) else value


def _absolute_paths(value: Any, where: str) -> list[str]:
    """Return the keys of absolute paths."""
    if isinstance(value, str):
        absolute = PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute()
        return [f'`{where}={value}`'] if absolute else []
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    return [path for key, item in items for path in _absolute_paths(item, f'{where}.{key}')]


def _check_fit(weights: Mapping[str, Any], model: dict[str, Any], source: str) -> None:
    """Check that the model of the card can be built, and takes the weights."""
    config = Config(dict(model=model), format_python_code=False)
    set_data_root(config, stand_in_root())
    built = MODELS.build(config.model).state_dict()
    expected = {
        name: value
        for name, value in built.items()
        if not name.startswith(LEFT_OUT) or name in weights
    }
    require_fit(
        compare(weights, expected),
        f'{source} does not fit the model of its config',
        'Name the config that it was trained with by `--config`',
    )


def _too_large(size: int, max_mb: float, arrays: Mapping[str, Any], source: str) -> str:
    parts: Counter = Counter()
    for name, array in arrays.items():
        parts['.'.join(name.split('.')[:2])] += array.nbytes
    listed = ', '.join(f'{name} {count / 1e6:.1f}' for name, count in parts.most_common(4))
    return (
        f'{source}: a weights file should have at most {max_mb:g} MB, got {size / 1e6:.1f} '
        f'({listed}): train a smaller network, or raise `--max-mb`'
    )


def _training_of(trained: Mapping[str, Any], meta: Any) -> dict[str, Any]:
    """Return what the checkpoint knows of its training; paths are left out."""
    meta = meta if isinstance(meta, dict) else {}
    loader = trained.get('train_dataloader') or {}
    facts = dict(
        seed=(trained.get('randomness') or {}).get('seed'),
        epochs=meta.get('epoch'),
        iterations=meta.get('iter'),
        batch_size=loader.get('batch_size'),
        datasets=(loader.get('dataset') or {}).get('datasets'),
    )
    return {name: _plain(value) for name, value in facts.items() if value is not None}


def _plain(value: Any) -> Any:
    """Leave out what a card cannot hold: paths of this machine, and values that are no literals."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if _is_public(key, item)}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _is_public(key: str, value: Any) -> bool:
    is_path = isinstance(value, str) and bool(_absolute_paths(value, key))
    return key != 'data_root' and value is not ... and not is_path


def _write(files: Mapping[Path, bytes], overwrite: bool) -> None:
    for path, content in files.items():
        if not overwrite and path.exists() and path.read_bytes() != content:
            raise ConfigError(
                f'{path} exists with other content; nothing was changed. Choose another name or '
                'folder, or replace it by `--overwrite`'
            )
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
