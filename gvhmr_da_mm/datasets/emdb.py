"""EMDB: real outdoor and indoor video with a moving camera."""

from pathlib import Path
from typing import Union

import torch
from torch import Tensor

from ..body_models.loading import body_model_file
from ..core.checks import check_choice
from ..core.errors import ConfigError, DataError
from ..core.rotation import quaternion_to_matrix
from ..registry import DATASETS
from .clip import Clip
from .pack_io import PackRecord, load_pack
from .real_labels import converted_training_labels, evaluation_labels, read_gender
from .real_video_dataset import RealVideoDataset
from .splits import EMDB_TEST_PREFIXES, emdb_sequences

_HOW_TO_GET = 'EMDB/hmr4d_support of the GVHMR data release (docs/en/data.md)'
_IMAGE_WH = (1440, 1920)
_SMALL_IMAGE_WH = {'P0_09': (720, 960)}


def default_image_size(name: str) -> tuple[int, int]:
    """Return width and height of a sequence of the published pack, which does not say."""
    for prefix, size in _SMALL_IMAGE_WH.items():
        if name.startswith(prefix):
            return size
    return _IMAGE_WH


def _runs(mask: Tensor) -> list[tuple[int, int]]:
    """Return the runs [start, end) of True."""
    edges = torch.diff(mask.int(), prepend=torch.zeros(1), append=torch.zeros(1))
    starts, ends = (edges == 1).nonzero()[:, 0], (edges == -1).nonzero()[:, 0]
    return list(zip(starts.tolist(), ends.tolist()))


@DATASETS.register_module()
class EMDBDataset(RealVideoDataset):
    """EMDB (Kaufmann et al., ICCV 2023).

    EMDB has no official training split: ``train`` is what is in neither EMDB-1 nor EMDB-2 and in
    the pack. With ``real_supervision='labels'`` the gendered SMPL labels become neutral SMPL-X
    ones (see :mod:`.smpl_to_smplx`), on frames whose labels are good.

    Args:
        split (str): ``train``, ``emdb1`` or ``emdb2``. Defaults to ``train``.
        camera (str): Where the camera's rotation comes from: ``true``, or ``dpvo`` (estimated).
            Defaults to ``true``, as in the published evaluation.
        intrinsics (str): Defaults to ``estimated``, as in the published evaluation.
        kwargs: As :class:`RealVideoDataset`.
    """

    TEST_SPLITS = ('emdb1', 'emdb2')

    def __init__(
        self,
        *args,
        split: str = 'train',
        camera: str = 'true',
        intrinsics: str = 'estimated',
        **kwargs,
    ) -> None:
        check_choice(camera, ('true', 'dpvo'), 'camera')
        self.camera = camera
        kwargs.setdefault('dataset', 'emdb_train' if split == 'train' else split)
        super().__init__(*args, split=split, intrinsics=intrinsics, **kwargs)

    @property
    def _folder(self) -> Path:
        return self.data_root / 'EMDB' / 'hmr4d_support'

    @property
    def _pack(self) -> Path:
        return self.pack_root or self._folder / 'emdb_vit_v4.pt'

    @property
    def _trajectories(self) -> Path:
        return self._folder / 'emdb_dpvo_traj.pt'

    def flip_file(self, name: str) -> Path:
        """Return the published file of mirrored features."""
        return self._folder / 'imgfeats' / 'emdb_flip' / f'{name}.pt'

    def required_files(self) -> dict[Union[str, Path], str]:
        """Return the pack, and what the options need besides."""
        files = {self._pack: _HOW_TO_GET}
        if self.camera == 'dpvo' and self.pack_root is None:
            files[self._trajectories] = _HOW_TO_GET
        needs_smpl = (self.test_mode and self.with_joints) or self.labelled_training
        for gender in ('male', 'female') if needs_smpl else ():
            path, hint = body_model_file('smpl', gender, self.data_root)
            files[path] = hint
        if self.labelled_training:
            path, hint = body_model_file('smplx', 'neutral', self.data_root)
            files[path] = hint
        return files

    def list_clips(self) -> list[dict]:
        """Return one entry per sequence, or per run of good labels when training on them."""
        names = list(load_pack(self._pack))
        chosen = emdb_sequences(names, self.split)
        if self.split == 'train':
            # The recording is the video: `P1_12_mvs_b` has one person.
            chosen = self.select_subset(chosen, chosen)
        else:
            self._check_complete(chosen)
        clips = self.list_each(chosen, self._clips_of)
        if self.transductive:
            tested = {name for split in self.TEST_SPLITS for name in emdb_sequences(names, split)}
            added = self.list_each([name for name in names if name in tested], self._clips_of)
            clips += [{**clip, 'transductive': True} for clip in added]
        if not clips and not self.left_out:
            raise self._empty(len(names))
        return clips

    def _clips_of(self, name: str) -> list[dict]:
        record = PackRecord.of(self._pack, name)
        ranges = [(0, len(record.tensor('bbx_xys', 'F 3')))]
        if self.labelled_training:
            ranges = _runs(record.tensor('mask', 'F'))
        return [dict(sequence=name, start=start, end=end) for start, end in ranges]

    def _check_complete(self, chosen: list[str]) -> None:
        prefixes = EMDB_TEST_PREFIXES[self.split]
        absent = [p for p in prefixes if not any(name.startswith(p) for name in chosen)]
        if absent and chosen:
            self._warn_once(
                'incomplete',
                f'{len(absent)} of its {len(prefixes)} sequences are not in {self._pack}: '
                f'{", ".join(absent)}. Scores cannot be compared with published ones',
            )

    def _empty(self, num_names: int) -> Exception:
        if self.split != 'train':
            return DataError(f'{self._pack} holds no sequence of {self.split}')
        return ConfigError(
            f'{self.dataset}: the training split of EMDB is empty, as all {num_names} sequences of '
            f'{self._pack} are test sequences (EMDB-1 and EMDB-2). Either convert the raw EMDB '
            'download to the same format, as it has more sequences, or set '
            '`transductive=True` to adapt on the inputs of the test clips, and say so with your '
            'results'
        )

    def clip_files(self, clips: list[dict]) -> dict[Union[str, Path], str]:
        """Return the missing features of mirrored images."""
        names = [clip['sequence'] for clip in clips]
        return self.missing_flip_files(names, f'{_HOW_TO_GET}; or set flip_test=False')

    @staticmethod
    def _image_size(record: PackRecord) -> tuple[int, int]:
        if 'img_wh' in record:
            return record.image_size()
        return default_image_size(record.sequence)

    def _camera_rotation(self, record: PackRecord, start: int, end: int, frames: int) -> Tensor:
        if self.camera == 'true':
            return record.rows('T_w2c', 'F 4 4', start, end, F=frames)[:, :3, :3]
        name, key = record.sequence, 'dpvo_poses'
        trajectory = record
        if self.pack_root is None:
            poses = load_pack(self._trajectories)
            trajectory = PackRecord(self._trajectories, name, {key: poses.get(name)})
        quaternion_xyzw = trajectory.rows(key, 'F 7', start, end, F=frames)[:, 3:]
        return quaternion_to_matrix(quaternion_xyzw[:, [3, 0, 1, 2]]).mT

    def read_inputs(self, info: dict, start: int, end: int) -> Clip:
        """Read boxes, keypoints, features and camera; never a label."""
        name = info['sequence']
        record = PackRecord.of(self._pack, name)
        img_wh = self._image_size(record)
        boxes = record.rows('bbx_xys', 'F 3', start, end)
        frames = len(record.tensor('bbx_xys', 'F 3'))
        clip = Clip(
            sequence=name,
            start=start,
            end=end,
            img_wh=img_wh,
            bbx_xys=boxes,
            K_fullimg=self.choose_intrinsics(record, img_wh),
            R_w2c=self._camera_rotation(record, start, end, frames),
            f_imgseq=self.observed_rows(record, 'features', 'F 1024', start, end, F=frames),
            kp2d=self.observed_rows(record, 'kp2d', 'F 17 3', start, end, F=frames),
        )
        flip = self.read_flip(name)
        if flip is not None:
            clip.flip_f_imgseq = flip.rows('features', 'F 1024', start, end, F=frames)
            clip.flip_bbx_xys = flip.rows('bbx_xys', 'F 3', start, end, F=frames)
        return clip

    def read_test_labels(self, info: dict, start: int, end: int) -> tuple[dict, Tensor, str]:
        """Read gendered SMPL in the world, which is y up."""
        record = PackRecord.of(self._pack, info['sequence'])
        mask = record.rows('mask', 'F', start, end).bool()
        labels = evaluation_labels(record, start, end, mask, self.data_root, self.with_joints)
        return labels, mask, read_gender(record)

    def read_train_labels(self, info: dict, start: int, end: int) -> tuple[dict, str]:
        """Read the labels as neutral SMPL-X; the world is y up, so supervision is full."""
        record = PackRecord.of(self._pack, info['sequence'])
        return converted_training_labels(record, start, end, self.data_root), 'full'
