"""Safe reading of files of :func:`torch.save`.

``weights_only=True`` restricts pickles. PyTorch before 2.6 reads tar archives, the format before
0.1.10, without this restriction (CVE-2025-32434), and some versions call ``torch.jit.load`` for
archives of TorchScript, which are programs.
"""

import tarfile
from pathlib import Path
from typing import Any, Union

import torch

from ..core.errors import DataError

ZIP_MAGIC = b'PK\x03\x04'
"""First bytes of the archives that :func:`torch.save` writes since PyTorch 1.6."""


def is_archive(path: Union[str, Path]) -> bool:
    """Return whether a file begins as an archive of :func:`torch.save`."""
    with open(path, 'rb') as file:
        return file.read(len(ZIP_MAGIC)) == ZIP_MAGIC


def refuse_programs(path: Union[str, Path]) -> None:
    """Refuse the formats that :func:`torch.load` does not read as a restricted pickle.

    Raises:
        DataError: If the file is a tar archive or TorchScript.
    """
    if is_archive(path):
        # The reader of `torch.load`: another one might find another archive in the file.
        program = torch._C.PyTorchFileReader(str(path)).has_record('constants.pkl')
        kind = 'TorchScript, a program'
    else:
        program, kind = tarfile.is_tarfile(path), 'a tar archive, a format given up in 2017'
    if program:
        raise DataError(
            f'{path} was not loaded: it is {kind}, which could run code on this machine. Nothing '
            'in it was run. Expected a file of `torch.save`: take it from its official source'
        )


def load_tensor_file(path: Union[str, Path], **options: Any) -> Any:
    """Read tensors and plain containers from a file of :func:`torch.save`; no code can run.

    Args:
        path (str | Path): The file.
        options (Any): Arguments of :func:`torch.load`.

    Returns:
        Any: The content.

    Raises:
        DataError: If the file is a tar archive or TorchScript.
        pickle.UnpicklingError: If it holds anything else than tensors and plain containers.
    """
    refuse_programs(path)
    return torch.load(str(path), **{'map_location': 'cpu', **options, 'weights_only': True})
