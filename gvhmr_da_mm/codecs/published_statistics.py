"""Motion statistics of the published weights, read from the user's own GVHMR checkout.

They are numbers in Python source there, under a licence that does not let us ship them. The source
is parsed; nothing of the checkout is imported or run.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union

import numpy as np

from ..core.errors import DataError, MissingFilesError
from ..core.layout import MOTION
from ..fileio.plain_python import evaluate_name

STATISTICS_FILE = 'hmr4d/model/gvhmr/utils/stats_compose.py'
STATISTICS_NAME = 'MM_V1_AMASS_LOCAL_BEDLAM_CAM'


def read_published_statistics(repository: Union[str, Path]) -> dict[str, np.ndarray]:
    """Read mean and standard deviation of the motion vector from a GVHMR checkout.

    Args:
        repository (str | Path): The folder of the checkout.

    Returns:
        dict[str, np.ndarray]: ``mean`` and ``std`` (151), float64.

    Raises:
        MissingFilesError: If the folder is no GVHMR checkout.
        DataError: If the file does not hold the statistics as plain numbers.
    """
    path = Path(repository) / STATISTICS_FILE
    if not path.is_file():
        raise MissingFilesError(
            f'there is no {path}: the folder should be a checkout of GVHMR '
            '(https://github.com/zju3dv/GVHMR). Otherwise give the statistics with `--stats '
            'FILE.npz`'
        )
    advice = 'Write `mean` and `std` to a .npz file by hand and give it with `--stats FILE.npz`'
    try:
        source = path.read_text(encoding='utf-8')
        record = evaluate_name(source, STATISTICS_NAME, str(path))
    except (DataError, UnicodeDecodeError) as error:
        raise DataError(f'{error}. {advice}') from error
    if not isinstance(record, Mapping) or not {'mean', 'std'} <= set(record):
        raise DataError(
            f'{path}: `{STATISTICS_NAME}` should be a dict with `mean` and `std`, got '
            f'{sorted(record) if isinstance(record, Mapping) else type(record).__name__}. {advice}'
        )
    return {name: _numbers(record[name], f'{path}: `{name}`', advice) for name in ('mean', 'std')}


def _numbers(values: Any, where: str, advice: str) -> np.ndarray:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f'{where} should be {MOTION.size} numbers, got {error}. {advice}'
        ) from error
    if array.shape != (MOTION.size,) or not np.isfinite(array).all():
        raise DataError(
            f'{where} should be {MOTION.size} finite numbers, got shape {array.shape}. {advice}'
        )
    return array
