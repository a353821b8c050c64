"""EMDB as published with GVHMR to a pack."""

from pathlib import Path

from ..emdb import default_image_size
from ..pack_io import PackRecord, load_pack
from ..splits import emdb_splits
from .converter import Arrays, ConversionTask, Converter, Meta, signature_of
from .missing_source import require_source


class PublishedEmdbConverter(Converter):
    """Converts ``EMDB/hmr4d_support``, with mirrored features and estimated cameras if there.

    Args:
        root (Path): Data root of the published files.
    """

    dataset = 'emdb'
    source = 'EMDB/hmr4d_support'

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.folder = root / self.source
        self.pack = self.folder / 'emdb_vit_v4.pt'
        self.trajectories = self.folder / 'emdb_dpvo_traj.pt'

    def plan(self) -> list[ConversionTask]:
        """Return one task per sequence."""
        require_source([self.pack], self.folder)
        tasks = []
        for name in load_pack(self.pack):
            flip = self.folder / 'imgfeats' / 'emdb_flip' / f'{name}.pt'
            signature = signature_of([self.pack, self.trajectories, flip])
            tasks.append(ConversionTask(name, self.pack, signature, dict(flip=flip)))
        return tasks

    def convert(self, task: ConversionTask) -> tuple[Arrays, Meta]:
        """Read a sequence."""
        name, flip = task.id, task.facts['flip']
        record = PackRecord.of(self.pack, name)
        stored = 'img_wh' in record
        arrays = dict(
            bbx_xys=record.tensor('bbx_xys', 'F 3'),
            kp2d=record.tensor('kp2d', 'F 17 3'),
            features=record.tensor('features', 'F 1024'),
            K_fullimg=record.tensor('K_fullimg', '3 3'),
            T_w2c=record.tensor('T_w2c', 'F 4 4'),
            mask=record.tensor('mask', 'F'),
        )
        parameters = record.nested('smpl_params')
        arrays.update((f'smpl_params.{key}', parameters.value(key)) for key in parameters.fields)
        if flip.exists():
            mirrored = PackRecord.read(flip, name)
            arrays['flip_features'] = mirrored.tensor('features', 'F 1024')
            arrays['flip_bbx_xys'] = mirrored.tensor('bbx_xys', 'F 3')
        if self.trajectories.exists():
            poses = load_pack(self.trajectories)
            if name in poses:
                arrays['dpvo_poses'] = poses[name]
        meta = dict(
            img_wh=record.image_size() if stored else default_image_size(name),
            gender=record.value('gender', str),
            splits=emdb_splits(name),
            video=name,
        )
        return arrays, meta
