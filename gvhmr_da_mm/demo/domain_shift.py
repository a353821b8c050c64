"""Gap between the synthetic and the real domain of the demo."""

from dataclasses import asdict, dataclass
from typing import Union

from gvhmr_da_mm.core.errors import ConfigError


@dataclass(frozen=True)
class DomainShift:
    """Four independent gaps between the domains, each from 0 (none) to 1 (the default demo).

    Args:
        features (float): Image features: per-channel affine map, low-rank mixing, saturation.
        keypoints (float): Detected keypoints and boxes: more, and more correlated, noise; outliers.
        focal (float): Focal length over image diagonal: EMDB's and 3DPW's instead of BEDLAM's.
        motions (float): Motions without a synthetic clip, in 60 % of the real clips at 1.
    """

    features: float = 1.0
    keypoints: float = 1.0
    focal: float = 1.0
    motions: float = 1.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 <= value <= 1:
                raise ConfigError(f'`DomainShift.{name}` should be between 0 and 1, got {value!r}')

    @classmethod
    def of(cls, shift: Union[float, 'DomainShift']) -> 'DomainShift':
        """Return a shift with one strength for all four gaps, or the given shift."""
        return shift if isinstance(shift, cls) else cls(*[float(shift)] * 4)
