"""Base of the converters: which sequences there are, and how one is read."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.errors import GVHMRError


@dataclass(frozen=True)
class ConversionTask:
    """One sequence to convert.

    Args:
        id (str): Its id in the pack.
        source (Path): The file it is from, for messages; tasks of one file go to one process.
        signature (str): What it is made of, see :func:`signature_of`.
        facts (dict): What :meth:`Converter.convert` needs to know besides.
    """

    id: str
    source: Path
    signature: str
    facts: dict[str, Any] = field(default_factory=dict)


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


Arrays = Mapping[str, Any]
Meta = dict[str, Any]


class Converter:
    """Turns the files of one dataset into a pack; its instances go to worker processes.

    Attributes:
        dataset (str): Name of the dataset.
        domain (str): ``synthetic`` or ``real``.
        source (str): What the pack is made of, for people.
        with_labels (bool): Whether 3D labels and masks go into the pack.
        failures (list[Failure]): Files that :meth:`plan` could not use.
    """

    with_labels = True
    dataset = ''
    domain = 'real'
    source = ''

    def __init__(self) -> None:
        self.failures: list[Failure] = []

    def plan(self) -> list[ConversionTask]:
        """Return all sequences in the order in which datasets should list them.

        Raises:
            GVHMRError: If the folder is not what it should be, as a whole.
        """
        raise NotImplementedError

    def convert(self, task: ConversionTask) -> tuple[Arrays, Meta]:
        """Return arrays and meta information of a sequence, for :class:`PackWriter`."""
        raise NotImplementedError


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
