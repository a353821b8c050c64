"""Reading golden cases and comparing with them to the promised precision."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-4}


class GoldenCase:
    """One ``.npz`` file: ``in_*`` inputs, ``out_*`` results, ``param_*`` settings."""

    def __init__(self, path: Path, dtype: torch.dtype = torch.float64) -> None:
        self.path = path
        self.dtype = dtype
        self._file = np.load(path)

    def __contains__(self, name: str) -> bool:
        return name in self._file.files

    def names(self, prefix: str) -> list[str]:
        """Return what follows ``prefix`` in every key that has it."""
        return [key[len(prefix) :] for key in self._file.files if key.startswith(prefix)]

    def raw(self, name: str) -> np.ndarray:
        return self._file[name]

    def input(self, name: str) -> Tensor:
        value = torch.from_numpy(self._file[f'in_{name}'])
        return value.to(self.dtype) if value.is_floating_point() else value

    def param(self, name: str):
        return self._file[f'param_{name}'].item()

    def check(self, name: str, value: Tensor) -> None:
        """Assert that ``value`` equals ``out_<name>`` to the tolerance of its precision."""
        expected = self._file[f'out_{name}']
        actual = value.detach().cpu().numpy()
        assert actual.shape == expected.shape, f'{self.path.name}:{name}'
        if expected.dtype == bool:
            assert (actual == expected).all(), f'{self.path.name}:{name}'
            return
        finite = np.isfinite(expected)
        assert (np.isfinite(actual) == finite).all(), f'{self.path.name}:{name} finite'
        error = np.abs(actual - expected)[finite] / (1 + np.abs(expected[finite]))
        worst = error.max() if error.size else 0.0
        assert worst <= TOLERANCE[self.dtype], f'{self.path.name}:{name} error {worst:.2e}'


def cases(folder: Path, pattern: str, dtype: torch.dtype = torch.float64) -> list[GoldenCase]:
    """Return all golden cases that match, which must be at least one."""
    paths = sorted(folder.glob(pattern))
    assert paths, f'no {pattern} in {folder}'
    return [GoldenCase(path, dtype) for path in paths]
