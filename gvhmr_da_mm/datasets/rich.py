"""RICH: real video of static cameras, with SMPL-X labels."""

from pathlib import Path
from typing import Any, Union

from torch import Tensor

from ..body_models import get_body_model
from ..body_models.loading import body_model_file
from ..core.checks import check_choice
from ..core.errors import DataError
from ..registry import DATASETS
from .clip import Clip
from .pack_io import PackRecord, load_pack
from .real_labels import read_gender
from .real_video_dataset import RealVideoDataset

_HOW_TO_GET = 'a RICH test pack in the format of docs/en/data.md#rich'
_LABEL_SHAPES = dict(body_pose='F 63', betas='F 10', global_orient='F 3', transl='F 3')


@DATASETS.register_module()
class RICHDataset(RealVideoDataset):
    """RICH (Huang et al., CVPR 2022), for testing only.

    The pack follows this project's own format (docs/en/data.md), which is laid out as the published
    EMDB and 3DPW packs are. All cameras stand still, so ``T_w2c`` is one matrix per sequence.
    Labels are gendered SMPL-X in the dataset's world.

    Args:
        split (str): Only ``test``. Defaults to ``test``.
        intrinsics (str): Defaults to ``true``.
        kwargs: As :class:`RealVideoDataset`.
    """

    TEST_SPLITS = ('test',)

    def __init__(self, *args, split: str = 'test', **kwargs) -> None:
        check_choice(split, self.TEST_SPLITS, 'split')
        kwargs.setdefault('dataset', 'rich')
        super().__init__(*args, split=split, **kwargs)

    @property
    def _folder(self) -> Path:
        return self.data_root / 'RICH' / 'hmr4d_support'

    @property
    def _pack(self) -> Path:
        return self.pack_root or self._folder / 'rich_test.pt'

    def flip_file(self, name: str) -> Path:
        """Return the file of mirrored features."""
        # Sequences are named by scene and camera, and may have slashes.
        return self._folder / 'imgfeats' / 'rich_flip' / f'{name}.pt'

    def required_files(self) -> dict[Union[str, Path], str]:
        """Return the pack, and the body models of the labels."""
        files = {self._pack: _HOW_TO_GET}
        for gender in ('male', 'female') if self.with_joints else ():
            path, hint = body_model_file('smplx', gender, self.data_root)
            files[path] = hint
        return files

    def list_clips(self) -> list[dict]:
        """Return one entry per sequence."""
        clips = []
        for name in load_pack(self._pack):
            boxes = PackRecord.of(self._pack, name).tensor('bbx_xys', 'F 3')
            clips.append(dict(sequence=name, start=0, end=len(boxes)))
        if not clips:
            raise DataError(f'{self._pack} holds no sequence')
        empty = [clip['sequence'] for clip in clips if not clip['end']]
        if empty:
            raise DataError(
                f'{self._pack}: {len(empty)} sequence(s) have no frame, such as {empty[0]!r}; '
                'leave them out of the pack'
            )
        return clips

    def clip_files(self, clips: list[dict]) -> dict[Union[str, Path], str]:
        """Return the missing features of mirrored images."""
        names = [clip['sequence'] for clip in clips]
        return self.missing_flip_files(names, f'{_HOW_TO_GET}; or set flip_test=False')

    def _extrinsics(self, record: PackRecord, frames: int) -> Tensor:
        """Return the one camera of a sequence for each frame, (F, 4, 4)."""
        return record.matrix('T_w2c', '4 4').expand(frames, 4, 4)

    def read_inputs(self, info: dict, start: int, end: int) -> Clip:
        """Read boxes, keypoints, features and camera; never a label."""
        record = PackRecord.of(self._pack, info['sequence'])
        img_wh = record.image_size()
        frames = len(record.tensor('bbx_xys', 'F 3'))
        clip = Clip(
            sequence=info['sequence'],
            start=start,
            end=end,
            img_wh=img_wh,
            bbx_xys=record.rows('bbx_xys', 'F 3', start, end),
            K_fullimg=self.choose_intrinsics(record, img_wh),
            R_w2c=self._extrinsics(record, end - start)[:, :3, :3],
            f_imgseq=self.observed_rows(record, 'features', 'F 1024', start, end, F=frames),
            kp2d=self.observed_rows(record, 'kp2d', 'F 17 3', start, end, F=frames),
            static_camera=True,
        )
        flip = self.read_flip(info['sequence'])
        if flip is not None:
            clip.flip_f_imgseq = flip.rows('features', 'F 1024', start, end, F=frames)
            clip.flip_bbx_xys = flip.rows('bbx_xys', 'F 3', start, end, F=frames)
        return clip

    def read_test_labels(self, info: dict, start: int, end: int) -> tuple[dict, Tensor, str]:
        """Read gendered SMPL-X in the dataset's world."""
        record = PackRecord.of(self._pack, info['sequence'])
        frames = len(record.tensor('bbx_xys', 'F 3'))
        mask = record.rows('mask', 'F', start, end, F=frames).bool()
        parameters = record.nested('smplx_params')
        labels: dict[str, Any] = {
            key: parameters.rows(key, shape, start, end, F=frames)
            for key, shape in _LABEL_SHAPES.items()
        }
        T_w2c = self._extrinsics(record, end - start)
        gender = read_gender(record)
        if self.with_joints:
            smplx = get_body_model('smplx_light', gender, data_root=self.data_root)
            joints_c = smplx.fk(**labels) @ T_w2c[:, :3, :3].mT + T_w2c[:, None, :3, 3]
            visible = mask[:, None].expand(joints_c.shape[:2])
            labels['lifting_target'] = joints_c.numpy()
            labels['lifting_target_visible'] = visible.float().numpy()
        K = record.matrix('K_fullimg', '3 3').expand(end - start, 3, 3)
        return dict(labels, T_w2c=T_w2c.clone(), K_fullimg=K, mask=mask), mask, gender
