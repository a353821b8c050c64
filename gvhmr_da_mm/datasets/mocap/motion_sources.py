"""Sources of recorded motion: AMASS files, the published pack, sequence packs."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Optional

import torch

from ...core.conventions import FPS
from ...core.errors import DataError
from ...core.layout import NUM_JOINTS
from ...fileio.amass_file import amass_files, read_arrays, read_header
from ..pack_io import PackRecord, load_pack
from .checks import check_plausible, check_shape, check_up_axis
from .mocap_body import MocapBody
from .motion import Z_UP_TO_Y_UP, Motion, frame_positions

CACHED_FRAMES = 500_000
"""Frames of AMASS files in the cache of a process: about 200 MB, 4.6 hours."""


class MotionSource:
    """Base of the sources, which list recordings and read them as :class:`Motion`.

    Args:
        path (Path): The folder or file.
        up (str): Axis of its world that points up, ``z`` or ``y``. Defaults to ``z``.
    """

    how_to_get = ''

    def __init__(self, path: Path, up: str = 'z') -> None:
        self.path, self.up = path, up

    def names(self) -> list[str]:
        """Return the names of all recordings."""
        raise NotImplementedError

    def info(self, name: str) -> dict[str, Any]:
        """Return ``sequence``, ``start`` and ``end`` (at 30 frames per second) of a recording."""
        raise NotImplementedError

    def recorded(self, infos: list[dict]) -> Iterator[tuple[str, str]]:
        """Return body and gender of recordings, for :class:`MocapBody`."""
        return iter(())

    def read(self, info: dict, start: int, end: int, body: MocapBody) -> Motion:
        """Return the frames [start, end) of a recording; y is up."""
        raise NotImplementedError

    def _motion(
        self,
        where: str,
        poses: torch.Tensor,
        transl: torch.Tensor,
        skeleton: torch.Tensor,
        positions: Optional[torch.Tensor] = None,
        first: int = 0,
    ) -> Motion:
        """Check and resample a motion, and rotate it to y up."""
        if self.up == 'z':
            check_up_axis(where, poses[:, :3], transl + skeleton[0])
        motion = Motion.from_axis_angle(poses, transl, skeleton)
        if positions is not None:
            motion = motion.resample(positions)
        check_plausible(where, motion, first)
        return motion.rotate(torch.tensor(Z_UP_TO_Y_UP)) if self.up == 'z' else motion


class AMASSFolder(MotionSource):
    """``.npz`` files of AMASS below a folder; motions are cached."""

    how_to_get = (
        'AMASS (SMPL-X or SMPL+H files): register at https://amass.is.tue.mpg.de and unpack the '
        'data sets below it (docs/en/data.md)'
    )

    def __init__(self, path: Path, up: str = 'z') -> None:
        super().__init__(path, up)
        self._cache = _MotionCache()

    def names(self) -> list[str]:
        """Return paths below the folder, without the suffix."""
        files = amass_files(self.path)
        return [str(file.relative_to(self.path).with_suffix('')) for file in files]

    def require_names(self) -> list[str]:
        """Return the names; raise DataError if there are none."""
        names = self.names()
        if not names:
            raise DataError(
                f'{self.path} should hold motion capture in the format of AMASS '
                '(SUBJECT/RECORDING.npz), got no such file'
            )
        return names

    def file(self, name: str) -> Path:
        """Return the path of a recording."""
        return self.path / f'{name}.npz'

    def info(self, name: str) -> dict[str, Any]:
        """Read the header of a file."""
        header = read_header(self.file(name))
        return dict(
            sequence=name,
            start=0,
            end=header.frames_30,
            body=header.body,
            gender=header.gender,
            frame_rate=header.frame_rate,
        )

    def recorded(self, infos: list[dict]) -> Iterator[tuple[str, str]]:
        """Return body and gender of each file."""
        return ((info['body'], info['gender']) for info in infos)

    def read(self, info: dict, start: int, end: int, body: MocapBody) -> Motion:
        """Return frames of a file, which is read once."""
        motion = self._cache.get(info['sequence'], lambda: self._read_file(info, body))
        return Motion(motion.rotations[start:end], motion.pelvis[start:end], motion.skeleton)

    def _read_file(self, info: dict, body: MocapBody) -> Motion:
        path = self.file(info['sequence'])
        arrays = read_arrays(path)
        check_shape(str(path), 'betas', arrays['betas'])
        skeleton = body.recorded_skeleton(info['body'], info['gender'], arrays['betas'])
        positions = None
        if info['frame_rate'] != FPS:
            positions = frame_positions(len(arrays['poses']), info['frame_rate'])
        return self._motion(str(path), arrays['poses'], arrays['trans'], skeleton, positions)


class PublishedMotionPack(MotionSource):
    """The pack of AMASS published with GVHMR: one file of all recordings, memory-mapped."""

    how_to_get = 'AMASS/hmr4d_support of the GVHMR data release (docs/en/data.md)'

    def names(self) -> list[str]:
        """Return the recordings of the file."""
        return list(load_pack(self.path))

    def info(self, name: str) -> dict[str, Any]:
        """Return the length of a recording."""
        frames = len(PackRecord.of(self.path, name).tensor('pose', f'F {3 * NUM_JOINTS}'))
        return dict(sequence=name, start=0, end=frames)

    def read(self, info: dict, start: int, end: int, body: MocapBody) -> Motion:
        """Read frames: neutral SMPL-X, 30 frames per second."""
        record = PackRecord.of(self.path, info['sequence'])
        where, betas = f'{self.path}: sequence `{info["sequence"]}`', record.matrix('beta', '10')
        check_shape(where, 'beta', betas)
        return self._motion(
            where,
            record.rows('pose', f'F {3 * NUM_JOINTS}', start, end),
            record.rows('trans', 'F 3', start, end),
            body.skeleton(betas),
            first=start,
        )


class SequencePackMotions(MotionSource):
    """Labels of a sequence pack: neutral SMPL-X in a y-up world; cameras are not used."""

    how_to_get = 'a sequence pack of tools/dataset_converters (docs/en/packs.md)'

    def __init__(self, path: Path) -> None:
        super().__init__(path, up='y')

    def names(self) -> list[str]:
        """Return the ids of the pack."""
        return list(load_pack(self.path).entries)

    def info(self, name: str) -> dict[str, Any]:
        """Return the range of a sequence."""
        entry = load_pack(self.path).entries[name]
        end = entry.start + entry.frames
        return dict(sequence=entry.sequence, start=entry.start, end=end, id=name)

    def read(self, info: dict, start: int, end: int, body: MocapBody) -> Motion:
        """Read frames of the labels."""
        record = PackRecord.of(self.path, info['id'])
        labels, first = record.nested('smplx_params'), info['start']
        poses = [
            labels.rows(key, pattern, start, end, first)
            for key, pattern in (('global_orient', 'F 3'), ('body_pose', 'F 63'))
        ]
        betas = labels.rows('betas', 'F 10', start, start + 1, first)[0]
        check_shape(f'{self.path}: sequence `{info["id"]}`', 'smplx_params.betas', betas)
        transl = labels.rows('transl', 'F 3', start, end, first)
        # The conversion has checked the motion.
        return Motion.from_axis_angle(torch.cat(poses, dim=1), transl, body.skeleton(betas))


class _MotionCache:
    """Cache of the latest motions, up to ``CACHED_FRAMES``; it is pickled empty."""

    def __init__(self) -> None:
        self._motions: OrderedDict[str, Motion] = OrderedDict()
        self._held = 0

    def __reduce__(self) -> tuple:
        return _MotionCache, ()

    def get(self, name: str, read: Callable[[], Motion]) -> Motion:
        """Return a motion, reading it if it is not cached."""
        if name in self._motions:
            self._motions.move_to_end(name)
            return self._motions[name]
        motion = read()
        self._motions[name] = motion
        self._held += len(motion)
        while self._held > CACHED_FRAMES and len(self._motions) > 1:
            self._held -= len(self._motions.popitem(last=False)[1])
        return motion


def open_source(path: Path, up: str, is_sequence_pack: bool) -> MotionSource:
    """Return the source at a path: of a sequence pack, the published pack or a folder."""
    if is_sequence_pack:
        return SequencePackMotions(path)
    return (
        PublishedMotionPack(path, up) if path.suffix in ('.pth', '.pt') else AMASSFolder(path, up)
    )
