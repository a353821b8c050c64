"""AMASS download, filmed by one virtual camera for each recording."""

import zlib
from pathlib import Path
from typing import Optional

import numpy as np
import torch

from ....core.errors import ConfigError, DataError, GVHMRError, MissingFilesError
from ....fileio.paths import resolve_data_root
from ...mocap import MocapBody, VirtualCamera, camera_labels, draw_box
from ...mocap.motion_sources import AMASSFolder
from ..source import Arrays, Failure, Meta, SequenceInfo, Source, signature_of

MIN_FRAMES = 30
"""Shorter recordings are left out."""


class AMASSDownload(Source):
    """Reads ``.npz`` files of AMASS (Mahmood et al., ICCV 2019) below a folder.

    Each recording is filmed as a whole by one random camera, the same in every conversion, so that
    the sequence pack is a labelled data set. :class:`~gvhmr_da_mm.datasets.AMASSDataset` films the
    motions of the pack anew, and reads them faster than the files.

    Args:
        root (Path): The folder.
        features (Path, optional): Must be None, as AMASS has no images.
        data_root (Path, optional): Data root, with the body models. Defaults to None: see
            :func:`~gvhmr_da_mm.fileio.paths.resolve_data_root`.

    Raises:
        ConfigError: If features are given.
    """

    dataset, domain = 'amass', 'synthetic'
    title = 'AMASS download'
    feature_name = 'none: it has no images'
    needs_body = True

    def __init__(
        self, root: Path, features: Optional[Path] = None, data_root: Optional[Path] = None
    ) -> None:
        super().__init__()
        if features is not None:
            raise ConfigError(f'AMASS has no images: leave `--features {features}` out')
        self.recordings = AMASSFolder(Path(root))
        self.data_root = data_root
        self._body: Optional[MocapBody] = None

    def sequences(self) -> list[SequenceInfo]:
        """List one sequence per recording; files that cannot be read or are short are failures."""
        names = self.recordings.names()
        if not names:
            raise MissingFilesError(
                f'{self.recordings.path.absolute()} has no .npz file: {AMASSFolder.how_to_get}'
            )
        infos = []
        for name in names:
            path = self.recordings.file(name)
            try:
                facts = self.recordings.info(name)
            except GVHMRError as error:
                self.failures.append(Failure.of(name, path, error))
                continue
            group = name.rpartition('/')[0] or name
            signature = signature_of([path], seed=_seed(name))
            infos.append(
                SequenceInfo(name, group=group, file=path, signature=signature, facts=facts)
            )
        self._body = MocapBody(
            resolve_data_root(self.data_root),
            recorded=self.recordings.recorded([info.facts for info in infos]),
        )
        return infos

    def read(self, info: SequenceInfo) -> tuple[Arrays, Meta]:
        """Read and film a recording."""
        frames = info.facts['end']
        if frames < MIN_FRAMES:
            raise DataError(
                f'{info.file}: expected at least {MIN_FRAMES} frames at 30 per second, got {frames}'
            )
        motion = self.recordings.read(info.facts, 0, frames, self._body)
        betas = self._body.neutral_betas(motion.skeleton)
        motion = motion.fit(self._body.skeleton(betas))
        rng = np.random.default_rng(_seed(info.id))
        camera = VirtualCamera()(motion.pelvis, rng)
        labels = camera_labels(motion, betas, camera)
        shape = dict(body_pose=labels['body_pose'], betas=labels['betas'])
        arrays = dict(
            bbx_xys=draw_box(self._body, motion, betas, camera, rng),
            K_fullimg=camera.K,
            T_w2c=camera.T_w2c,
            skeleton=motion.skeleton,
        )
        for prefix, frame in (('smplx_params', 'w'), ('smplx_params_incam', 'c')):
            parameters = dict(
                shape,
                global_orient=labels[f'global_orient_{frame}'],
                transl=labels[f'transl_{frame}'],
            )
            arrays.update((f'{prefix}.{key}', value) for key, value in parameters.items())
        meta = dict(
            img_wh=camera.img_wh,
            static_camera=camera.is_static,
            group=info.group,
            extra=dict(camera=camera.kind, frame_rate=info.facts['frame_rate']),
        )
        return {key: torch.as_tensor(value) for key, value in arrays.items()}, meta


def _seed(name: str) -> int:
    return zlib.crc32(name.encode())
