"""Labelled people of the videos of a data set, without the inputs of a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch

from ...core.camera import box_to_xyxy
from ...core.errors import ConfigError, DataError, list_some
from ...datasets.labels import evaluation_labels
from ...datasets.pack_io import load_pack
from ...datasets.sources import PUBLISHED_SOURCES, PackSource, PublishedSource, SequenceInfo
from ...evaluation import PROTOCOLS, Protocol
from ...fileio.paths import resolve_data_root

PathLike = Union[str, Path]
MASKS = ('mask', 'mask_wham')
"""Masks of the frames with good labels, of which a data set has one."""
LABELS = ('smpl_params.transl', 'smplx_params.transl')


@dataclass(frozen=True)
class LabelledPerson:
    """One labelled person of a video.

    Attributes:
        sample (dict): Data sample with ``gt_instances``, ``sequence``, ``gender`` and ``start``.
        boxes (np.ndarray): Corners (L, 4), pixels.
        img_wh (tuple[int, int]): Width and height of the image, pixels.
    """

    sample: dict[str, Any]
    boxes: np.ndarray
    img_wh: tuple[int, int]


class LabelledVideos:
    """Videos of a sequence pack, or of published files, by the name of the video.

    Args:
        path (str | Path): Sequence pack, or the folder of published files, such as
            ``DATA_ROOT/EMDB/hmr4d_support``.
        data_root (str | Path, optional): Data root of the body models. Defaults to None: the
            environment's.

    Raises:
        MissingFilesError: If there are no such files.
        DataError: If the pack cannot be read.
    """

    def __init__(self, path: PathLike, data_root: Optional[PathLike] = None) -> None:
        self.path, self.data_root = Path(path), resolve_data_root(data_root)
        self.source, self.dataset = _open(self.path)

    @cached_property
    def videos(self) -> dict[str, list[SequenceInfo]]:
        """Sequences of each video that have labels and a camera.

        Raises:
            DataError: If there are none.
        """
        found: dict[str, list[SequenceInfo]] = {}
        for info in self.source.sequences():
            reader = self.source.open(info)
            if reader.has('T_w2c') and any(map(reader.has, LABELS)):
                found.setdefault(info.group, []).append(info)
        if not found:
            raise DataError(f'{self.path} should hold sequences with labels and `T_w2c`, got none')
        return found

    def video_of(self, sequence: str) -> str:
        """Return the video of a sequence, by its name, its id or that of the video.

        Raises:
            ConfigError: If there is none.
        """
        for video, infos in self.videos.items():
            if sequence in (video, *(name for info in infos for name in (info.name, info.id))):
                return video
        raise ConfigError(
            f'{self.path} should have the sequence {sequence!r}, got {list_some(list(self.videos))}'
        )

    def protocols(self, names: Optional[Sequence[str]] = None) -> list[Protocol]:
        """Return protocols by name, or all of the data set that are end to end.

        Args:
            names (Sequence[str], optional): Their names. Defaults to None: those end to end.

        Returns:
            list[Protocol]: The protocols.

        Raises:
            ConfigError: If a name is unknown, or the data set has none.
        """
        if names:
            unknown = [name for name in names if name not in PROTOCOLS]
            if unknown:
                raise ConfigError(f'`protocol` should be of {", ".join(PROTOCOLS)}, got {unknown}')
            return [PROTOCOLS[name] for name in names]
        splits = {split for infos in self.videos.values() for i in infos for split in i.splits}
        known = {self.dataset, *splits}
        found = [p for p in PROTOCOLS.values() if p.end_to_end and p.dataset in known]
        if not found:
            raise ConfigError(
                f'there is no protocol for {self.path}, a pack of {self.dataset!r}: choose one of '
                f'{", ".join(PROTOCOLS)} by `protocol`'
            )
        return found

    def people(self, video: str, protocol: Optional[Protocol] = None) -> list[LabelledPerson]:
        """Return the labelled people of a video.

        Args:
            video (str): Name of the video.
            protocol (Protocol, optional): Only sequences of its data set, if the data set has such.
                Defaults to None: all.
        """
        infos = self.videos[video]
        if protocol is not None and any(
            protocol.dataset in info.splits for infos in self.videos.values() for info in infos
        ):
            infos = [info for info in infos if protocol.dataset in info.splits]
        return [self._person(info) for info in infos]

    def _person(self, info: SequenceInfo) -> LabelledPerson:
        reader = self.source.open(info)
        start, end = reader.limits
        mask = torch.ones(end - start, dtype=torch.bool)
        name = next((name for name in MASKS if reader.has(name)), None)
        if name is not None:
            mask = reader.rows(name, start, end).bool()
        labels = evaluation_labels(reader, start, end, mask, self.data_root, with_joints=False)
        sample = dict(
            sequence=info.name, gender=reader.gender, start=start, end=end, gt_instances=labels
        )
        boxes = box_to_xyxy(reader.rows('bbx_xys', start, end)).numpy()
        return LabelledPerson(sample, boxes, tuple(reader.img_wh))


def _open(path: Path) -> tuple[Union[PackSource, PublishedSource], str]:
    """Return the source of a folder and the name of its data set."""
    for kind in PUBLISHED_SOURCES.values():
        if path.resolve().parts[-2:] == Path(kind.subfolder).parts:
            return kind(path), kind.dataset
    pack = load_pack(path)
    if not hasattr(pack, 'header'):
        raise DataError(f'{path} should be the folder of a sequence pack (docs/en/packs.md)')
    return PackSource(path), pack.header.dataset
