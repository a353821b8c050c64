"""Sequence pack of the stretches that are trained on."""

from collections.abc import Iterable
from pathlib import Path

from ...datasets.clip import Clip
from ...datasets.packs import PackWriter
from .stretches import Stretch

FIELDS = dict(
    bbx_xys='bbx_xys',
    kp2d='kp2d',
    K_fullimg='K_fullimg',
    R_w2c='R_w2c',
    features='f_imgseq',
    flip_features='flip_f_imgseq',
    flip_bbx_xys='flip_bbx_xys',
)
"""Arrays of a pack, and the fields of a clip that they are."""


def write_video_pack(root: Path, stretches: Iterable[Stretch]) -> None:
    """Write stretches to a pack; those that are there are kept.

    Args:
        root (Path): Folder of the pack, which is of these stretches only.
        stretches (Iterable[Stretch]): What is trained on.
    """
    with PackWriter(root, 'video', source='tools/adapt.py') as writer:
        for stretch in stretches:
            if not writer.is_done(stretch.name):
                clip = stretch.clip
                meta = dict(
                    img_wh=clip.img_wh,
                    start=clip.start,
                    static_camera=clip.static_camera,
                    group=stretch.video,
                )
                writer.add(stretch.name, _arrays(clip), meta)


def _arrays(clip: Clip) -> dict:
    values = {name: getattr(clip, field) for name, field in FIELDS.items()}
    return {name: value.numpy() for name, value in values.items() if value is not None}
