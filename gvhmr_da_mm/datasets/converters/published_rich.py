"""RICH, in the format that this project reads, to a pack."""

from pathlib import Path

from ..pack_io import PackRecord, load_pack
from .converter import Arrays, ConversionTask, Converter, Meta, signature_of
from .missing_source import require_source


class PublishedRichConverter(Converter):
    """Converts ``RICH/hmr4d_support/rich_test.pt`` (docs/en/data.md#rich).

    Args:
        root (Path): Data root.
    """

    dataset = 'rich'
    source = 'RICH/hmr4d_support'

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.folder = root / self.source
        self.pack = self.folder / 'rich_test.pt'

    def plan(self) -> list[ConversionTask]:
        """Return one task per person and camera."""
        require_source([self.pack], self.folder)
        tasks = []
        for name in load_pack(self.pack):
            flip = self.folder / 'imgfeats' / 'rich_flip' / f'{name}.pt'
            signature = signature_of([self.pack, flip])
            tasks.append(ConversionTask(name, self.pack, signature, dict(flip=flip)))
        return tasks

    def convert(self, task: ConversionTask) -> tuple[Arrays, Meta]:
        """Read a sequence; its camera is one matrix."""
        name, flip = task.id, task.facts['flip']
        record = PackRecord.of(self.pack, name)
        arrays = dict(
            bbx_xys=record.tensor('bbx_xys', 'F 3'),
            kp2d=record.tensor('kp2d', 'F 17 3'),
            features=record.tensor('features', 'F 1024'),
            K_fullimg=record.tensor('K_fullimg', '3 3'),
            T_w2c=record.tensor('T_w2c', '4 4'),
            mask=record.tensor('mask', 'F'),
        )
        parameters = record.nested('smplx_params')
        arrays.update((f'smplx_params.{key}', parameters.value(key)) for key in parameters.fields)
        if flip.exists():
            mirrored = PackRecord.read(flip, name)
            arrays['flip_features'] = mirrored.tensor('features', 'F 1024')
            arrays['flip_bbx_xys'] = mirrored.tensor('bbx_xys', 'F 3')
        meta = dict(
            img_wh=record.image_size(),
            gender=record.value('gender', str),
            splits=('test',),
            static_camera=True,
            video=name,
        )
        return arrays, meta
