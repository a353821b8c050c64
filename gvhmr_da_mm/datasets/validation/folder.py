"""Base of the data set folders that can be validated."""

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
    """Return the name that the checks use for a field of the schema; most keep their names."""
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
    """Folder with the sequences of one data set; it is pickled to worker processes.

    Args:
        folder (Path): The folder.
        name (str): The data set, for ``--dataset``.
        title (str): Name in reports.

    Attributes:
        file_findings (list[Finding]): Findings in files of all sequences.
    """

    def __init__(self, folder: Path, name: str, title: str) -> None:
        self.folder, self.name, self.title = Path(folder), name, title
        self.file_findings: list[Finding] = []
        self._unreadable: set[Path] = set()

    # -- to be written by a subclass --------------------------------------------------------------

    def sequences(self) -> list[SequenceInfo]:
        """Return all listed sequences; missing or damaged files become findings."""
        raise NotImplementedError

    def read(self, info: SequenceInfo) -> Sequence:
        """Return a sequence with its fields."""
        raise NotImplementedError

    # ---------------------------------------------------------------------------------------------

    def entries(self, path: Path, severity: str = ERROR):
        """Open a file of all sequences; if that fails, add a finding and return an empty dict.

        Args:
            path (Path): The file, or the folder of a sequence pack.
            severity (str): Of the finding if it is missing; '' for none.
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
        """Add a finding in a file."""
        self.file_findings.append(Finding(severity, message, str(path), '', check))

    def findings_between(self, infos: list[SequenceInfo]) -> Iterator[Finding]:
        """Yield findings between sequences: names that differ in upper case only."""
        seen: dict[tuple[str, str], str] = {}
        for info in infos:
            other = seen.setdefault((info.part, info.name.lower()), info.name)
            if other != info.name:
                message = f'the names {other!r} and {info.name!r} differ in upper case only'
                yield Finding(WARNING, message, str(self.folder), '', 'duplicate')
