"""Base of the sources: what a data set holds, sequence by sequence, by the names of the schema."""

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
    """One sequence of a source, as it is listed before it is opened.

    Args:
        id (str): Unique in the source.
        name (str): Name in samples. Defaults to '': the id.
        part (str): Part of the data set that it is stored with. Defaults to ''.
        splits (tuple[str, ...]): Splits it belongs to. Defaults to ().
        group (str): Sequences of one group stay together when a split is divided. Defaults to '':
            the id.
        file (Path): The file it is from, for messages; sequences of one file are converted in one
            process.
        signature (str): What it is made of, see :func:`signature_of`. Defaults to ''.
        facts (dict): What the source needs to know besides.
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
        message (str): What is wrong.
    """

    id: str
    source: str
    kind: str
    message: str

    @classmethod
    def of(cls, sequence_id: str, source: Path, error: BaseException) -> 'Failure':
        """Describe an error; of one that is not ours, the type belongs to the message."""
        message = str(error)
        if not isinstance(error, GVHMRError):
            message = f'{type(error).__name__}: {message}'
        return cls(sequence_id, str(source), type(error).__name__, message)


class Source:
    """A data set that :func:`~.write_pack.write_pack` can read; instances go to worker processes.

    Attributes:
        dataset (str): Name of the data set.
        domain (str): ``synthetic`` or ``real``.
        title (str): What it is, for people.
        needs_body (bool): Whether it takes the ``data_root`` of the body models.
        failures (list[Failure]): Files that :meth:`sequences` could not use.
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
            GVHMRError: If the folder is not what it should be, as a whole.
        """
        raise NotImplementedError

    def read(self, info: SequenceInfo) -> tuple[Arrays, Meta]:
        """Return arrays and meta information of a sequence, for :class:`PackWriter`."""
        raise NotImplementedError

    def signature(self, info: SequenceInfo) -> str:
        """Return a text that changes when what a sequence is made of does."""
        return info.signature


def signature_of(paths: Iterable[Path], **options: Any) -> str:
    """Return a short text that changes when files (size, time) or options change.

    Args:
        paths (Iterable[Path]): Files; those that do not exist count as such.
        options: Values for JSON.
    """
    states = []
    for path in paths:
        status = path.stat() if path.exists() else None
        states.append([path.name, status and status.st_size, status and status.st_mtime_ns])
    text = json.dumps([states, options], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
