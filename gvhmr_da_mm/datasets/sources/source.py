"""Base of the sources, which read sequences of data sets by the names of the pack schema."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.errors import GVHMRError

Arrays = Mapping[str, Any]
Meta = dict[str, Any]


@dataclass(frozen=True)
class SequenceInfo:
    """Entry of a sequence in the list of a source.

    Args:
        id (str): Unique in the source.
        name (str): Name in samples. Defaults to '': the id.
        part (str): Part of the data set that it is stored with. Defaults to ''.
        splits (tuple[str, ...]): Splits it belongs to. Defaults to ().
        group (str): Sequences of one group stay together when a split is divided. Defaults to '':
            the id.
        file (Path): Its main file, for messages; sequences of one file are converted in one
            process.
        signature (str): Digest of its inputs, see :func:`signature_of`. Defaults to ''.
        facts (dict): Further values for the source.
    """

    id: str
    name: str = ''
    part: str = ''
    splits: tuple[str, ...] = ()
    group: str = ''
    file: Path = Path()
    signature: str = ''
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, 'name', self.name or self.id)
        object.__setattr__(self, 'group', self.group or self.id)


@dataclass(frozen=True)
class Failure:
    """A sequence or file that could not be converted.

    Args:
        id (str): The sequence, or '' for a whole file.
        source (str): The file.
        kind (str): Type of the error.
        message (str): Message of the error.
    """

    id: str
    source: str
    kind: str
    message: str

    @classmethod
    def of(cls, sequence_id: str, source: Path, error: BaseException) -> 'Failure':
        """Describe an error; the message of foreign errors begins with their type."""
        message = str(error)
        if not isinstance(error, GVHMRError):
            message = f'{type(error).__name__}: {message}'
        return cls(sequence_id, str(source), type(error).__name__, message)


class Source:
    """Data set that :func:`~.write_pack.write_pack` reads; it is pickled to worker processes.

    Attributes:
        dataset (str): Name of the data set.
        domain (str): ``synthetic`` or ``real``.
        title (str): Description, for messages.
        needs_body (bool): Whether it takes ``data_root``, for the body models.
        failures (list[Failure]): Files that :meth:`sequences` could not read.
    """

    dataset = ''
    domain = 'real'
    title = ''
    needs_body = False

    def __init__(self) -> None:
        self.failures: list[Failure] = []

    def sequences(self) -> list[SequenceInfo]:
        """Return all sequences in the order in which datasets should list them.

        Raises:
            GVHMRError: If the folder is not of the expected layout.
        """
        raise NotImplementedError

    def read(self, info: SequenceInfo) -> tuple[Arrays, Meta]:
        """Return arrays and metadata of a sequence, for :class:`PackWriter`."""
        raise NotImplementedError

    def signature(self, info: SequenceInfo) -> str:
        """Return a digest that changes with the inputs of a sequence."""
        return info.signature


def signature_of(paths: Iterable[Path], **options: Any) -> str:
    """Return a digest of files (size, time) and options.

    Args:
        paths (Iterable[Path]): Files, which need not exist, or folders of files.
        options: Values for JSON.
    """
    states = []
    for path in paths:
        # The time of a folder does not tell that a file in it was written over.
        inner = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else ()
        for file in (path, *inner):
            status = file.stat() if file.exists() else None
            states.append([file.name, status and status.st_size, status and status.st_mtime_ns])
    text = json.dumps([states, options], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
