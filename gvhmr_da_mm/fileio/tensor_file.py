"""``torch.load`` without the formats that run code whatever is asked for.

``weights_only=True`` restricts pickles. Versions of PyTorch before 2.6 also take tar archives of
the format before 0.1.10, which they read without the restriction (CVE-2025-32434), and some turn to
``torch.jit.load`` for archives of TorchScript, which are programs.
"""

import tarfile
from pathlib import Path
from typing import Any, Union

import torch

from ..core.errors import DataError

ZIP_MAGIC = b'PK\x03\x04'
"""What :func:`torch.load` takes for an archive of :func:`torch.save`."""


def is_archive(path: Union[str, Path]) -> bool:
    """Tell whether a file begins as those of :func:`torch.save` since PyTorch 1.6."""
    with open(path, 'rb') as file:
        return file.read(len(ZIP_MAGIC)) == ZIP_MAGIC


def refuse_programs(path: Union[str, Path]) -> None:
    """Refuse what :func:`torch.load` would not read as a restricted pickle.

    Raises:
        DataError: If the file is a tar archive or TorchScript.
    """
    if is_archive(path):
        # The reader that `torch.load` uses: another one might see another archive in the file.
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
        options (Any): For :func:`torch.load`.

    Returns:
        Any: The content.

    Raises:
        DataError: If the file is a tar archive or TorchScript.
        pickle.UnpicklingError: If it holds anything else than tensors and plain containers.
    """
    refuse_programs(path)
    return torch.load(str(path), **{'map_location': 'cpu', **options, 'weights_only': True})
