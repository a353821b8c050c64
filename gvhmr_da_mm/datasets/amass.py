"""AMASS: recorded motion, filmed by virtual cameras when it is loaded."""

import math
from collections.abc import Sequence
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Optional, Union

import numpy as np
import torch
from torch import Tensor

from ..core.checks import check_choice
from ..core.errors import ConfigError, DataError
from ..core.layout import NUM_BETAS
from ..registry import DATASETS, TASK_UTILS
from .clip import Clip
from .clip_table import ClipTable, take
from .mocap import MocapBody, Motion, MotionSource, camera_labels, draw_box, open_source
from .motion_dataset import MotionDataset


@DATASETS.register_module()
class AMASSDataset(MotionDataset):
    """Recorded motion (AMASS, Mahmood et al., ICCV 2019), filmed by virtual cameras.

    Each item is a window of a recording with random tempo, heading, side (mirrored or not), body
    shape, camera and box, all functions of its :class:`ClipKey`. It is fully supervised.

    There are no detected keypoints (``has_kp2d`` is False): the model synthesizes them from the
    labels by its ``keypoint_noise`` in each step, as for all labelled datasets.
    There are no image features either (``has_imgfeat`` is False).

    Args:
        motions (str | Path): Below the data root or absolute: a folder with files of AMASS (SMPL-X
            or SMPL+H, any frame rate), or the pack published with GVHMR. Not used where ``pack`` is
            given. Defaults to ``AMASS/hmr4d_support/smplxpose_v2.pth``.
        up (str): Axis of the recordings that points up: ``z``, as in AMASS, or ``y``. Defaults to
            ``z``.
        include (Sequence[str]): Patterns of the names of recordings to use, such as
            ``'CMU/*'``. Defaults to all.
        camera (dict): Config of the random cameras. Defaults to ``dict(type='VirtualCamera')``.
        speed (tuple[float, float]): Range of the tempo; its logarithm is uniform. Defaults to
            (0.7, 1.4).
        mirror_prob (float): Probability of swapping left and right. Defaults to 0.5.
        variation (dict, optional): Config of random changes of the pose, such as
            ``dict(type='PoseVariation')``. Defaults to None.
        random_shape (bool): Whether to draw body shapes of all genders that have model files,
            instead of the neutral mean. Defaults to True.
        pack (str | Path, optional): Sequence pack (docs/en/packs.md), below the data root or
            absolute, to read in place of ``motions``. Defaults to None.
        model_path (str | Path, optional): Folder with the SMPL-X model files. Defaults to None:
            ``body_models/smplx`` below the data root.
        kwargs: As :class:`MotionDataset`.

    Raises:
        ConfigError: If an argument is invalid.

    Source: GVHMR, Sec. 4.1.
    """

    def __init__(
        self,
        *args,
        motions: Union[str, Path] = 'AMASS/hmr4d_support/smplxpose_v2.pth',
        up: str = 'z',
        include: Sequence[str] = ('*',),
        camera: Optional[dict] = None,
        speed: tuple[float, float] = (0.7, 1.4),
        mirror_prob: float = 0.5,
        variation: Optional[dict] = None,
        random_shape: bool = True,
        pack: Optional[Union[str, Path]] = None,
        model_path: Optional[Union[str, Path]] = None,
        **kwargs,
    ) -> None:
        check_choice(up, ('z', 'y'), 'up')
        if not 0 < speed[0] <= speed[1]:
            raise ConfigError(f'`speed` should be a range above 0, got {speed}')
        if not 0 <= mirror_prob <= 1:
            raise ConfigError(f'`mirror_prob` should be in [0, 1], got {mirror_prob}')
        if kwargs.get('test_mode'):
            raise ConfigError('AMASSDataset is for training: it has no test_mode')
        self.motions, self.pack, self.up = motions, pack, up
        self.include = tuple(include)
        self.camera = TASK_UTILS.build(camera or dict(type='VirtualCamera'))
        self.variation = TASK_UTILS.build(variation) if variation else None
        self.speed, self.mirror_prob, self.random_shape = speed, mirror_prob, random_shape
        self.model_path = model_path
        super().__init__(*args, **{**dict(dataset='amass', domain='synthetic'), **kwargs})

    @cached_property
    def source(self) -> MotionSource:
        """Source of the recordings."""
        path = self.data_root / (self.motions if self.pack is None else self.pack)
        return open_source(path, self.up, is_sequence_pack=self.pack is not None)

    def required_files(self) -> dict[Union[str, Path], str]:
        """Return the recordings; the body names its own files."""
        return {self.source.path: self.source.how_to_get}

    def list_clips(self) -> ClipTable:
        """Return one entry per recording, and load the bodies that they need."""
        known = self.source.names()
        chosen = [name for name in known if any(fnmatch(name, p) for p in self.include)]
        names = take(chosen, self.exclusion.keeps(chosen, known))
        if not names:
            raise DataError(
                f'{self.dataset}: {self.source.path} has no recording whose name fits '
                f'include={self.include} and not exclude={self.exclusion.patterns}'
            )
        clips = self.list_each(names, lambda name: [self.source.info(name)])
        self.recordings = ClipTable.of(clips)
        self.body = MocapBody(self.data_root, self.model_path, self.source.recorded(clips))
        for path in self.body.missing:
            self.log(
                f'{path} does not exist: the neutral body replaces that of the recorded person'
            )
        return self.recordings

    def read_clip(self, info: dict, start: int, end: int) -> Clip:
        """Film a window of a recording.

        Random draws depend on ``info['seed']`` and ``info['sample_idx']``, 0 if missing: clips that
        are read with one seed still differ in camera and body.
        """
        rng = np.random.default_rng((info.get('seed', 0), info.get('sample_idx', 0), 1))
        first, positions = self._draw_frames(info, start, end, rng)
        last = first + math.ceil(float(positions[-1])) + 1
        motion = self.source.read(info, first, last, self.body).resample(positions)
        if rng.random() < self.mirror_prob:
            motion = motion.mirror()
        motion = motion.turn(float(rng.uniform(-math.pi, math.pi)))
        betas = self.body.draw_betas(rng) if self.random_shape else torch.zeros(NUM_BETAS)
        motion = motion.fit(self.body.skeleton(betas))
        if self.variation is not None:
            motion = self.variation(motion, lambda frames: self._read_other(frames, rng), rng)
        camera = self.camera(motion.pelvis, rng)
        return Clip(
            sequence=info['sequence'],
            start=first,
            end=first + len(motion),
            img_wh=camera.img_wh,
            bbx_xys=draw_box(self.body, motion, betas, camera, rng),
            K_fullimg=camera.K,
            R_w2c=camera.T_w2c[:, :3, :3],
            labels=camera_labels(motion, betas, camera),
            supervision='full',
            static_camera=camera.is_static,
        )

    def _read_other(self, frames: int, rng: np.random.Generator) -> Motion:
        """Read frames of a random recording; one that is too short stands still at its end."""
        info = self.recordings[int(rng.integers(len(self.recordings)))]
        last = max(info['start'], info['end'] - frames)
        first = int(rng.integers(info['start'], last + 1))
        motion = self.source.read(info, first, min(first + frames, info['end']), self.body)
        return motion.resample(torch.arange(frames).clamp(max=len(motion) - 1))

    def _draw_frames(
        self, info: dict, start: int, end: int, rng: np.random.Generator
    ) -> tuple[int, Tensor]:
        """Draw a tempo, and return the first frame and the positions of frames after it.

        There are ``end - start`` positions, fewer if the recording is too short for the tempo.
        """
        tempo = math.exp(rng.uniform(*np.log(self.speed)))
        available = info['end'] - 1 - info['start']
        count = min(end - start, int(available / tempo) + 1)
        span = (count - 1) * tempo
        first = max(min(start, info['end'] - 1 - math.ceil(span)), info['start'])
        positions = torch.arange(count, dtype=torch.float64) * tempo
        return first, positions.clamp(max=info['end'] - 1 - first)
