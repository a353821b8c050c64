"""Entry of a sequence in the index of a sequence pack."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Optional

from ...core.conventions import FPS, GENDERS
from ...core.errors import DataError
from ...core.extrinsics import AXES

SEQUENCES_FOLDER = 'sequences'
SUFFIX = '.safetensors'
_FPS_TOLERANCE = 0.05
_MAX_NAME_LENGTH = 100


def sequence_file(sequence_id: str) -> str:
    """Return the file of a sequence below the pack; unique for each id."""
    name = re.sub(r'[^A-Za-z0-9._-]+', '_', sequence_id)[-_MAX_NAME_LENGTH:].lstrip('._-')
    # Ids that differ in replaced characters or in case only must not share a file.
    digest = hashlib.sha256(sequence_id.encode()).hexdigest()[:8]
    return f'{SEQUENCES_FOLDER}/{name}-{digest}{SUFFIX}'


@dataclass
class PackEntry:
    """Entry of a sequence in the index.

    Args:
        id (str): Unique in the pack.
        frames (int): Frames, at 30 per second.
        img_wh (tuple[int, int]): Image width and height in pixels.
        sequence (str): Name of the sequence in samples. Defaults to '': the id.
        start (int): Number of the first frame in the video, as in samples. Defaults to 0.
        splits (tuple[str, ...]): Splits it belongs to. Defaults to ().
        gender (str): Body model of the labels. Defaults to ``neutral``.
        static_camera (bool): Whether the camera stands still. Defaults to False.
        world_up (str): Axis that was up in the world of a given ``T_w2c``, of
            :data:`~gvhmr_da_mm.core.extrinsics.AXES`, into which predictions are placed;
            ``T_w2c`` itself is y up. Defaults to '': ``T_w2c`` belongs to labels, if there is one.
        fps (float): Frames per second; packs are at 30. Defaults to 30.
        video (str): The video of the frames. Defaults to ''.
        group (str): Sequences of one group stay together when a split is divided, such as the
            persons of one video. Defaults to '': the id.
        valid_ranges (list, optional): Frames [start, end) whose labels are good. Defaults to None:
            all.
        extra (dict): Anything else, as JSON.
        signature (str): Digest of its inputs; the sequence is converted again if it changes.
        arrays (tuple[str, ...]): Names of its arrays (set on writing).
        has_labels, has_keypoints, has_features (bool): The same in short (set on writing).
        file (str): File below the pack (set on writing).
        bytes (int): Its size (set on writing).
        sha256 (str): Its checksum (set on writing).
    """

    id: str
    frames: int
    img_wh: tuple[int, int]
    sequence: str = ''
    start: int = 0
    splits: tuple[str, ...] = ()
    gender: str = 'neutral'
    static_camera: bool = False
    world_up: str = ''
    fps: float = FPS
    video: str = ''
    group: str = ''
    valid_ranges: Optional[list] = None
    extra: dict[str, Any] = field(default_factory=dict)
    signature: str = ''
    arrays: tuple[str, ...] = ()
    has_labels: bool = False
    has_keypoints: bool = False
    has_features: bool = False
    file: str = ''
    bytes: int = 0
    sha256: str = ''

    def __post_init__(self) -> None:
        self.sequence, self.group = self.sequence or self.id, self.group or self.id
        self.img_wh = tuple(int(size) for size in self.img_wh)
        self.splits, self.arrays = tuple(self.splits), tuple(self.arrays)
        problems = []
        if not self.id:
            problems.append('`id` should not be empty')
        if self.frames < 1:
            problems.append(f'`frames` should be at least 1, got {self.frames}')
        if len(self.img_wh) != 2 or min(self.img_wh) < 1:
            problems.append(f'`img_wh` should be width and height, got {self.img_wh}')
        if self.gender not in GENDERS:
            problems.append(f'`gender` should be one of {GENDERS}, got {self.gender!r}')
        if self.world_up not in ('', *AXES):
            problems.append(f'`world_up` should be one of {AXES}, got {self.world_up!r}')
        if abs(self.fps / FPS - 1) > _FPS_TOLERANCE:
            problems.append(f'`fps` should be {FPS}, got {self.fps}: resample the frames')
        if '..' in self.file or self.file.startswith(('/', '\\')):
            problems.append(f'`file` should be below the pack, got {self.file!r}')
        for start, end in self.valid_ranges or ():
            if not 0 <= start < end <= self.frames:
                problems.append(f'`valid_ranges` has ({start}, {end}) of {self.frames} frames')
        if problems:
            raise DataError('; '.join(problems))

    @classmethod
    def of(cls, values: Mapping[str, Any], where: str = 'an entry') -> 'PackEntry':
        """Create an entry from values by name; unknown names are an error."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise DataError(
                f'{where}: unknown fields {unknown}; known are {", ".join(sorted(known))}, and '
                '`extra` takes anything else'
            )
        try:
            return cls(**values)
        except (TypeError, ValueError) as error:
            raise DataError(f'{where}: {error}') from error

    def as_dict(self) -> dict[str, Any]:
        """Return the entry for a JSON file, without empty values."""
        values = asdict(self)
        if self.group == self.id:
            del values['group']
        if self.sequence == self.id:
            del values['sequence']
        return {key: value for key, value in values.items() if value not in ('', None, {}, ())}
