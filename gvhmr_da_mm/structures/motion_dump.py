"""One predicted sequence as a file that can be scored, drawn and exported without the model.

Keys of the npz file are ``pred_instances.<field>``, ``gt_instances.<field>`` and
``inputs.<name>``; ``metainfo`` is JSON. Arrays are stored as they are, so that a score computed
from the file equals that of the test run.
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
OWNERS = ('pred_instances', 'gt_instances')
DUMPED_INPUTS = ('K_fullimg', 'bbx_xys', 'kp2d', 'cam_angvel')
"""Inputs that drawings and post-processing need; image features would be most of the file."""
METAINFO = 'metainfo'
NOT_TENSORS = ('keypoints', 'keypoint_scores', 'lifting_target', 'lifting_target_visible')
"""Fields that MMPose's metrics and visualizers expect as arrays."""


@dataclass
class MotionDump:
    """A sequence read back.

    Attributes:
        sample (PoseDataSample): As the model returned it, with labels if there were any.
        inputs (dict[str, Tensor]): Those of ``DUMPED_INPUTS`` that were stored.
        path (Path): The file.
    """

    sample: PoseDataSample
    inputs: dict[str, torch.Tensor] = field(default_factory=dict)
    path: Path = Path()

    def __len__(self) -> int:
        return len(self.sample.pred_instances)


def dump_name(metainfo: Mapping[str, Any]) -> str:
    """Return the name that a sequence is written by while others are unknown; it is unique.

    Args:
        metainfo (Mapping): With ``dataset`` and ``sequence``, and ``start`` and ``end`` if the
            sample is a part of a sequence.
    """
    name = quote(str(metainfo['sequence']), safe='')
    if metainfo.get('start'):
        name += f'[{metainfo["start"]}-{metainfo.get("end")}]'
    return f'{quote(str(metainfo["dataset"]), safe="")}/{name}.npz'


def write_motion_dump(path: PathLike, sample: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
    """Write a sequence; a file that is cut short by a crash never has the final name.

    Args:
        path (str | Path): The npz file; its folder is created.
        sample (Mapping): A data sample as a dict: its instances and metainfo.
        inputs (Mapping): The sample's inputs, without batch dimension.

    Raises:
        DataError: If a field is no array of numbers, or the metainfo is nothing JSON can hold.
    """
    path = Path(path)
    arrays = {}
    for owner in OWNERS:
        for name, value in dict(sample.get(owner) or {}).items():
            arrays[f'{owner}.{name}'] = _array(value, f'{owner}.{name}', path)
    for name in DUMPED_INPUTS:
        if name in inputs:
            arrays[f'inputs.{name}'] = _array(inputs[name], f'inputs.{name}', path)
    metainfo = {key: value for key, value in sample.items() if key not in OWNERS}
    try:
        arrays[METAINFO] = np.array(json.dumps(metainfo, default=_plain))
    except TypeError as error:
        raise DataError(f'the metainfo of {path} should be plain values, {error}') from error
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_atomically(path) as file:
        np.savez_compressed(file, **arrays)


def read_motion_dump(path: PathLike) -> MotionDump:
    """Read a sequence.

    Args:
        path (str | Path): An npz file that :func:`write_motion_dump` has written.

    Raises:
        MissingFilesError: If there is no such file.
        DataError: If it is another file, or its fields differ in length.
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
    """Return one sample's inputs out of a batch, stacked or listed by name; empty if it has none.

    Args:
        data_batch (Mapping, optional): What the dataloader gave.
        index (int): The sample's place in the batch.
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
    """Compare the number of frames of all fields."""
    fields = [key for key in arrays if key.startswith(OWNERS)]
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
    for owner in OWNERS:
        fields = {}
        for key, value in arrays.items():
            name = key.partition('.')[2]
            if key.startswith(f'{owner}.'):
                fields[name] = value if name in NOT_TENSORS else torch.from_numpy(value)
        if fields:
            setattr(sample, owner, InstanceData(**fields))
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


def _plain(value: Any) -> Any:
    """Turn NumPy and torch numbers in the metainfo into those of Python."""
    if hasattr(value, 'tolist'):
        return value.tolist()
    raise TypeError(f'got {type(value).__name__}: {value!r}')
