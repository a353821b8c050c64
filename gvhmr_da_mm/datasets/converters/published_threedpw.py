"""3DPW as published with GVHMR to a pack."""

from pathlib import Path

from ..pack_io import PackRecord, load_pack
from ..splits import THREEDPW_GOOD_RANGES
from .converter import Arrays, ConversionTask, Converter, Meta, signature_of
from .missing_source import require_source

_FEATURES = dict(train='3dpw_train_smplx_refit', test='3dpw_test')


class PublishedThreeDPWConverter(Converter):
    """Converts ``3DPW/hmr4d_support``: both splits, or the one that is there.

    Args:
        root (Path): Data root of the published files.
    """

    dataset = '3dpw'
    source = '3DPW/hmr4d_support'

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.folder = root / self.source
        self.refit = self.folder / 'train_refit_smplx.pt'
        self.test_boxes = self.folder / 'preproc_test_bbx.pt'

    def _labels(self, split: str) -> Path:
        return self.folder / f'{split}_3dpw_gt_labels.pt'

    def _keypoints(self, split: str) -> Path:
        return self.folder / f'preproc_{split}_kp2d_v0.pt'

    def plan(self) -> list[ConversionTask]:
        """Return one task per person and video."""
        splits = [split for split in _FEATURES if self._labels(split).exists()]
        require_source([self._labels(split) for split in splits or _FEATURES], self.folder)
        tasks = []
        for split in splits:
            shared = [self._labels(split), self._keypoints(split)]
            shared.append(self.refit if split == 'train' else self.test_boxes)
            for name in load_pack(self._labels(split)):
                features = self.folder / 'imgfeats' / _FEATURES[split] / f'{name}.pt'
                flip = self.folder / 'imgfeats' / f'3dpw_{split}_flip' / f'{name}.pt'
                signature = signature_of([*shared, features, flip])
                facts = dict(split=split, features=features, flip=flip)
                tasks.append(ConversionTask(name, shared[0], signature, facts))
        return tasks

    def convert(self, task: ConversionTask) -> tuple[Arrays, Meta]:
        """Read a person's sequence."""
        name, split, flip = task.id, task.facts['split'], task.facts['flip']
        record = PackRecord.of(self._labels(split), name)
        features = PackRecord.read(task.facts['features'], name)
        boxes = PackRecord.of(self.test_boxes, name) if split == 'test' else features
        arrays = dict(
            bbx_xys=boxes.tensor('bbx_xys', 'F 3'),
            features=features.tensor('features', 'F 1024'),
            K_fullimg=record.tensor('K_fullimg', '3 3'),
            T_w2c=record.tensor('T_w2c', 'F 4 4'),
            mask_raw=record.tensor('mask_raw', 'F'),
            mask_wham=record.tensor('mask_wham', 'F'),
        )
        parameters = record.nested('smpl_params')
        arrays.update((f'smpl_params.{key}', parameters.value(key)) for key in parameters.fields)
        if self._keypoints(split).exists():
            keypoints = load_pack(self._keypoints(split))
            kp2d = PackRecord(self._keypoints(split), name, dict(kp2d=keypoints.get(name)))
            arrays['kp2d'] = kp2d.tensor('kp2d', 'F 17 3')
        if flip.exists():
            mirrored = PackRecord.read(flip, name)
            arrays['flip_features'] = mirrored.tensor('features', 'F 1024')
            arrays['flip_bbx_xys'] = mirrored.tensor('bbx_xys', 'F 3')
        video = name.rpartition('_')[0]
        meta = dict(
            img_wh=record.image_size(),
            gender=record.value('gender', str),
            splits=(split,),
            video=video,
            group=video,
        )
        if split == 'train' and self.refit.exists():
            refit = PackRecord.of(self.refit, name)
            incam = refit.nested('smplx_params_incam')
            arrays.update((f'smplx_params_incam.{k}', incam.value(k)) for k in incam.fields)
            stored = refit.value('valid_range_list', list, tuple)
            frames = len(arrays['bbx_xys'])
            meta['valid_ranges'] = [
                (int(start), min(int(end), frames))
                for start, end in THREEDPW_GOOD_RANGES.get(name, stored)
                if start < frames
            ]
        return arrays, meta
