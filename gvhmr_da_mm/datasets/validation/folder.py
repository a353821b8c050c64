"""Base of the folders of sequences that can be validated."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ...core.errors import GVHMRError
from ..pack_io import load_pack
from ..sources import SequenceInfo
from .finding import ERROR, WARNING, Finding
from .sequence import Sequence

_ROLES = {
    'bbx_xys': 'boxes',
    'kp2d': 'keypoints',
    'K_fullimg': 'K',
    'dpvo_poses': 'trajectory',
    'flip_bbx_xys': 'flip_boxes',
    'skeleton': 'rest_root',
    'mask_wham': 'mask',
    'mask_raw': 'other_mask',
    'global_orient': 'orient',
}
SMPL_ROOT = (0.0, -0.2, 0.0)
"""Rest position of SMPL's root joint in m, roughly."""
SMPLX_ROOT = (0.0, -0.35, 0.0)
"""Rest position of SMPL-X's root joint in m, roughly."""


def role_of(name: str) -> str:
    """Return what the checks know a field of the schema as; most keep their names."""
    group, _, last = name.rpartition('.')
    role = _ROLES.get(last, last)
    if group and role in ('orient', 'transl'):
        return f'{role}_{"c" if group.endswith("incam") else "w"}'
    return role


def root_of(names: Iterable[str]) -> tuple[float, float, float]:
    """Return the rest position of the root joint of the labels among fields of the schema."""
    is_smpl = any(name.startswith('smpl_params.') for name in names)
    return SMPL_ROOT if is_smpl else SMPLX_ROOT


class DataFolder:
    """A folder with the sequences of one data set; goes to worker processes.

    Args:
        folder (Path): The folder.
        name (str): The data set, for ``--dataset``.
        title (str): What reports call it.

    Attributes:
        file_findings (list[Finding]): What is wrong with files of all sequences.
    """

    def __init__(self, folder: Path, name: str, title: str) -> None:
        self.folder, self.name, self.title = Path(folder), name, title
        self.file_findings: list[Finding] = []
        self._unreadable: set[Path] = set()

    # -- to be written by a subclass --------------------------------------------------------------

    def sequences(self) -> list[SequenceInfo]:
        """Return all sequences that the files list, noting files that are missing or damaged."""
        raise NotImplementedError

    def read(self, info: SequenceInfo) -> Sequence:
        """Return a sequence with its fields."""
        raise NotImplementedError

    # ---------------------------------------------------------------------------------------------

    def entries(self, path: Path, severity: str = ERROR):
        """Return a file of all sequences; an empty one, and a finding, where there is none.

        Args:
            path (Path): The file, or the folder of a pack.
            severity (str): How bad it is if it is missing; '' if it is not at all.
        """
        if path in self._unreadable:
            return {}
        try:
            if not path.exists():
                self._unreadable.add(path)
                if severity:
                    self.note(severity, 'missing-file', 'does not exist', path)
                return {}
            return load_pack(path)
        except GVHMRError as error:
            self._unreadable.add(path)
            self.note(ERROR, 'unreadable', str(error), path)
            return {}

    def note(self, severity: str, check: str, message: str, path: Path) -> None:
        """Note what is wrong with a file."""
        self.file_findings.append(Finding(severity, message, str(path), '', check))

    def findings_between(self, infos: list[SequenceInfo]) -> Iterator[Finding]:
        """Yield what is wrong between sequences: names that only differ in upper case."""
        seen: dict[tuple[str, str], str] = {}
        for info in infos:
            other = seen.setdefault((info.part, info.name.lower()), info.name)
            if other != info.name:
                message = f'the names {other!r} and {info.name!r} differ in upper case only'
                yield Finding(WARNING, message, str(self.folder), '', 'duplicate')
