"""Reading golden cases and comparing with them to the promised precision."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gvhmr_da_mm.core.rotation import axis_angle_to_matrix

TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-4}
HALF_TURN = 1e-6
"""Real part of a quaternion below which single precision cannot tell its sign."""
PUBLISHED_NAMES = {'static_logits': 'static_conf_logits'}
"""Names in the files for outputs that have another name in the package."""


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
        expected = self._file[f'out_{PUBLISHED_NAMES.get(name, name)}']
        self._compare(name, value.detach().cpu().numpy(), expected)

    def check_axis_angle(self, name: str, value: Tensor) -> None:
        """The same for axis-angle vectors, as matrices: the axis of a half turn has no sign."""
        expected = torch.from_numpy(self._file[f'out_{name}']).double()
        assert value.shape == expected.shape, f'{self.path.name}:{name}'
        actual, expected = (
            axis_angle_to_matrix(x.detach().double().unflatten(-1, (-1, 3))).numpy()
            for x in (value, expected)
        )
        self._compare(name, actual, expected)

    def check_quaternion(self, name: str, value: Tensor) -> None:
        """The same for quaternions: rounding decides the sign of those of a half turn."""
        expected = torch.from_numpy(self._file[f'out_{name}'])
        half_turn = expected[..., :1].abs() < HALF_TURN
        opposite = (value.detach().to(expected) * expected).sum(dim=-1, keepdim=True) < 0
        self.check(name, torch.where(half_turn & opposite, -value, value))

    def _compare(self, name: str, actual: np.ndarray, expected: np.ndarray) -> None:
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
