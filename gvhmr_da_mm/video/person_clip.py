"""Boxes, keypoints and image features of one person in one video, at 30 frames per second."""

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from ..core.errors import DataError, MissingFilesError
from ..core.layout import IMAGE_FEATURE_DIM, NUM_COCO
from ..fileio.atomic_file import open_atomically

_SHAPES = dict(
    bbx_xys=(3,),
    kp2d=(NUM_COCO, 3),
    observed=(),
    frame_numbers=(),
    features=(IMAGE_FEATURE_DIM,),
    flip_features=(IMAGE_FEATURE_DIM,),
    flip_bbx_xys=(3,),
)


@dataclass
class PersonClip:
    """Observations of a person over F frames.

    Args:
        name (str): Name of the clip, with the number of the person if there are several.
        img_wh (tuple[int, int]): Width and height of the upright frames, pixels.
        start (int): Number of the first frame, at 30 per second from the start of the video.
        bbx_xys (np.ndarray): Boxes (F, 3): centre and side, pixels.
        kp2d (np.ndarray): COCO-17 (F, 17, 3): pixels and confidence, reduced in short gaps and 0
            in long ones.
        observed (np.ndarray): Frames in which the person was detected (F,), bool.
        frame_numbers (np.ndarray): Nearest frame of the video to each frame (F,).
        features (np.ndarray, optional): Image features (F, 1024). Defaults to None.
        flip_features (np.ndarray, optional): Image features of the mirrored images (F, 1024).
        flip_bbx_xys (np.ndarray, optional): Boxes in the mirrored images (F, 3).
        scene (int): Number of the scene, between two cuts: people of different scenes have no
            common world. Defaults to 0.
        facts (dict): Settings, notes and failures: plain numbers, strings and lists.
    """

    name: str
    img_wh: tuple[int, int]
    start: int
    bbx_xys: np.ndarray
    kp2d: np.ndarray
    observed: np.ndarray
    frame_numbers: np.ndarray
    features: Optional[np.ndarray] = None
    flip_features: Optional[np.ndarray] = None
    flip_bbx_xys: Optional[np.ndarray] = None
    scene: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def frames(self) -> slice:
        """The person's frames among those of the video."""
        return slice(self.start, self.start + len(self))

    def __len__(self) -> int:
        return len(self.bbx_xys)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that are not None, by name."""
        named = {name: getattr(self, name) for name in _SHAPES}
        return {name: value for name, value in named.items() if value is not None}

    def save(self, path: Union[str, Path]) -> None:
        """Write an ``.npz`` file without pickled objects, atomically."""
        path = Path(path)
        about = dict(
            name=self.name,
            img_wh=list(self.img_wh),
            start=self.start,
            scene=self.scene,
            facts=self.facts,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        with open_atomically(path) as file:
            np.savez(file, about=json.dumps(about), **self.arrays())

    @classmethod
    def load(cls, path: Union[str, Path]) -> 'PersonClip':
        """Read a file of :meth:`save`.

        Raises:
            MissingFilesError: If there is no such file.
            DataError: If it is not such a file.
        """
        path = Path(path)
        if not path.is_file():
            raise MissingFilesError(f'the file of observations {str(path)!r} does not exist')
        try:
            with np.load(path, allow_pickle=False) as content:
                arrays = {name: content[name] for name in _SHAPES if name in content}
                about = json.loads(str(content['about']))
            clip = cls(
                name=about['name'],
                img_wh=tuple(about['img_wh']),
                start=about['start'],
                scene=about.get('scene', 0),  # older files have none
                facts=about['facts'],
                **arrays,
            )
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise DataError(
                f'{path} is not a valid output of tools/dataset_converters/convert.py features '
                f'({error}): remove it and run that tool again'
            ) from error
        for name, array in arrays.items():
            if array.shape != (len(clip), *_SHAPES[name]):
                raise DataError(f'{path}: {name} has shape {array.shape} for {len(clip)} frames')
        return clip
