"""Files of predicted sequences, to evaluate, draw and export them without the model.

Keys of the npz file are ``pred_instances.<field>``, ``gt_instances.<field>`` and
``inputs.<name>``; ``metainfo`` is JSON. Arrays are stored without loss, so that metrics computed
from the file equal those of the test run.
"""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional, Union
from urllib.parse import quote

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from ..core.errors import DataError, MissingFilesError
from ..fileio.atomic_file import open_atomically

PathLike = Union[str, Path]
INSTANCES = ('pred_instances', 'gt_instances')
DUMPED_INPUTS = ('K_fullimg', 'bbx_xys', 'kp2d', 'cam_angvel')
"""Inputs that drawing and post-processing need; image features would dominate the file size."""
METAINFO = 'metainfo'
ARRAY_FIELDS = ('keypoints', 'keypoint_scores', 'lifting_target', 'lifting_target_visible')
"""Fields that MMPose's metrics and visualizers expect as NumPy arrays."""
RENAMED_FIELDS = {'static_conf_logits': 'static_logits'}
"""Former names of fields, in files of earlier versions."""


@dataclass
class MotionDump:
    """A predicted sequence read from a file.

    Attributes:
        sample (PoseDataSample): The prediction, and the labels if there were any.
        inputs (dict[str, Tensor]): The stored ones of ``DUMPED_INPUTS``.
        path (Path): The file.
    """

    sample: PoseDataSample
    inputs: dict[str, torch.Tensor] = field(default_factory=dict)
    path: Path = Path()

    def __len__(self) -> int:
        return len(self.sample.pred_instances)


def dump_name(metainfo: Mapping[str, Any]) -> str:
    """Return the file name of a sequence, which is unique in a dump.

    Args:
        metainfo (Mapping): With ``dataset`` and ``sequence``, and ``start`` and ``end`` if the
            sample is part of a sequence.
    """
    name = quote(str(metainfo['sequence']), safe='')
    if metainfo.get('start'):
        name += f'[{metainfo["start"]}-{metainfo.get("end")}]'
    return f'{quote(str(metainfo["dataset"]), safe="")}/{name}.npz'


def write_motion_dump(path: PathLike, sample: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
    """Write a predicted sequence atomically.

    Args:
        path (str | Path): The npz file; its folder is created.
        sample (Mapping): A data sample as a dict: its instances and metainfo.
        inputs (Mapping): The sample's inputs, without batch dimension.

    Raises:
        DataError: If a field is not an array of numbers, or the metainfo is not JSON.
    """
    path = Path(path)
    arrays = {}
    for instances in INSTANCES:
        for name, value in dict(sample.get(instances) or {}).items():
            arrays[f'{instances}.{name}'] = _array(value, f'{instances}.{name}', path)
    for name in DUMPED_INPUTS:
        if name in inputs:
            arrays[f'inputs.{name}'] = _array(inputs[name], f'inputs.{name}', path)
    metainfo = {key: value for key, value in sample.items() if key not in INSTANCES}
    try:
        arrays[METAINFO] = np.array(json.dumps(metainfo, default=_to_plain))
    except TypeError as error:
        raise DataError(f'the metainfo of {path} should be plain values, {error}') from error
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_atomically(path) as file:
        np.savez_compressed(file, **arrays)


def read_motion_dump(path: PathLike) -> MotionDump:
    """Read a predicted sequence.

    Args:
        path (str | Path): A file of :func:`write_motion_dump`.

    Raises:
        MissingFilesError: If the file does not exist.
        DataError: If it has another format, or its fields differ in length.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFilesError(
            f'there is no predicted sequence {str(path)!r}; `tools/test.py --dump DIR` writes them'
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
        metainfo = json.loads(str(arrays.pop(METAINFO)))
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f'{path} should be a predicted sequence as `tools/test.py --dump DIR` writes it, but '
            f'cannot be read as one: {error}'
        ) from error
    if not any(key.startswith('pred_instances.') for key in arrays):
        raise DataError(f'{path} should have fields `pred_instances.*`, got {sorted(arrays)}')
    _check_lengths(path, arrays)
    return MotionDump(_sample(arrays, metainfo), _inputs(arrays), path)


def sample_inputs(data_batch: Optional[Mapping[str, Any]], index: int) -> dict[str, Any]:
    """Return the inputs of one sample of a batch; empty if the batch has none.

    Args:
        data_batch (Mapping, optional): Batch of the dataloader, inputs stacked or as lists.
        index (int): Index of the sample in the batch.
    """
    inputs = (data_batch or {}).get('inputs')
    if not isinstance(inputs, Mapping):
        return {}
    return {
        name: value[index]
        for name, value in inputs.items()
        if isinstance(value, (list, tuple, torch.Tensor))
    }


def _check_lengths(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Check that all fields have the same number of frames."""
    fields = [key for key in arrays if key.startswith(INSTANCES)]
    lengths = {key: len(arrays[key]) if arrays[key].ndim else 0 for key in fields}
    wanted = lengths[fields[0]]
    wrong = {key: length for key, length in lengths.items() if length != wanted}
    if wrong:
        raise DataError(
            f'all fields of {path} should have {wanted} frames, as `{fields[0]}` has, got {wrong}: '
            'the file was changed, or predictions and labels are of different sequences'
        )


def _sample(arrays: Mapping[str, np.ndarray], metainfo: Mapping[str, Any]) -> PoseDataSample:
    metainfo = {key: tuple(v) if key == 'img_shape' else v for key, v in metainfo.items()}
    sample = PoseDataSample(metainfo=metainfo)
    for instances in INSTANCES:
        fields = {}
        for key, value in arrays.items():
            name = key.partition('.')[2]
            name = RENAMED_FIELDS.get(name, name)
            if key.startswith(f'{instances}.'):
                fields[name] = value if name in ARRAY_FIELDS else torch.from_numpy(value)
        if fields:
            setattr(sample, instances, InstanceData(**fields))
    return sample


def _inputs(arrays: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {
        key.partition('.')[2]: torch.from_numpy(value)
        for key, value in arrays.items()
        if key.startswith('inputs.')
    }


def _array(value: Any, name: str, path: Path) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    array = np.asarray(value)
    if array.dtype.kind not in 'biuf':
        raise DataError(f'`{name}` of {path} should be numbers to be dumped, got {array.dtype}')
    return array


def _to_plain(value: Any) -> Any:
    """Convert NumPy and torch values of the metainfo to Python's."""
    if hasattr(value, 'tolist'):
        return value.tolist()
    raise TypeError(f'got {type(value).__name__}: {value!r}')
