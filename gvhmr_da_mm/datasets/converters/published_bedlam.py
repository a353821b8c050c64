"""BEDLAM as published with GVHMR to a pack."""

from pathlib import Path

from ..bedlam import feature_file
from ..pack_io import PackRecord, load_pack
from .converter import Arrays, ConversionTask, Converter, Meta, signature_of
from .missing_source import require_source

PARTS = ('all60', 'maxspan60')


class PublishedBedlamConverter(Converter):
    """Converts ``BEDLAM/hmr4d_support``: the frames of each listed clip, with its labels.

    The label pack is one file of all sequences, which takes long to open; here every clip has a
    file of its own.

    Args:
        root (Path): Data root of the published files.
    """

    dataset, domain = 'bedlam', 'synthetic'
    source = 'BEDLAM/hmr4d_support'

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.folder = root / self.source
        self.labels = self.folder / 'smplpose_v2.pth'

    def plan(self) -> list[ConversionTask]:
        """Return one task per listed clip; the part is in the id, as lists may overlap."""
        ranges = {part: self.folder / f'mid_to_valid_range_{part}.pt' for part in PARTS}
        require_source([self.labels, *ranges.values()], self.folder)
        tasks = []
        for part, path in ranges.items():
            for mid, (start, end) in load_pack(path).items():
                features = self.folder / 'imgfeats' / f'bedlam_{part}' / feature_file(mid)
                signature = signature_of([self.labels, features], range=(int(start), int(end)))
                facts = dict(mid=mid, part=part, start=int(start), end=int(end), features=features)
                tasks.append(ConversionTask(f'{part}/{mid}', self.labels, signature, facts))
        return tasks

    def convert(self, task: ConversionTask) -> tuple[Arrays, Meta]:
        """Read labels by frame, features by frame relative to their first."""
        mid, start, end = task.facts['mid'], task.facts['start'], task.facts['end']
        features = PackRecord.read(task.facts['features'], mid)
        first = int(features.value('start_end')[0])
        width, height = features.image_size()
        record = PackRecord.of(self.labels, mid)
        T_w2c = record.rows('cam_ext', 'F 4 4', start, end)
        pose = record.rows('pose', 'F 66', start, end)
        shape = dict(
            body_pose=pose[:, 3:], betas=record.tensor('beta', '10').expand(end - start, 10)
        )
        world = dict(
            shape, global_orient=pose[:, :3], transl=record.rows('trans', 'F 3', start, end)
        )
        camera = dict(
            shape,
            global_orient=record.rows('global_orient_incam', 'F 3', start, end),
            # The stored translation lacks that of the camera.
            transl=record.rows('trans_incam', 'F 3', start, end) + T_w2c[:, :3, 3],
        )
        # Rows checks and makes float32; the features keep the type that they have.
        features.rows('features', 'F 1024', start, end, first)
        arrays = dict(
            bbx_xys=features.rows('bbx_xys', 'F 3', start, end, first),
            features=features.tensor('features', 'F 1024')[start - first : end - first],
            K_fullimg=record.rows('cam_int', 'F 3 3', start, end),
            T_w2c=T_w2c,
            skeleton=record.tensor('skeleton', '22 3'),
            **{f'smplx_params.{key}': value for key, value in world.items()},
            **{f'smplx_params_incam.{key}': value for key, value in camera.items()},
        )
        meta = dict(
            sequence=mid,
            start=start,
            splits=(task.facts['part'],),
            img_wh=(width, height),
            video=mid.rpartition('-')[0],
            group=mid.rpartition('-')[0],
        )
        return arrays, meta
