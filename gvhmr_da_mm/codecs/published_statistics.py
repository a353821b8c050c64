"""Motion statistics of the published weights, read from the user's own GVHMR checkout.

Their licence does not allow to ship them. The Python source that holds them is parsed; nothing of
the checkout is imported or run.
"""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Union

import numpy as np

from ..core.errors import DataError, MissingFilesError
from ..core.layout import MOTION

STATISTICS_FILE = 'hmr4d/model/gvhmr/utils/stats_compose.py'
STATISTICS_NAME = 'MM_V1_AMASS_LOCAL_BEDLAM_CAM'
ADVICE = 'Write `mean` and `std` to a .npz file by hand and give it with `--stats FILE.npz`'
_PARTS = (MOTION.body_pose, MOTION.betas, MOTION.orient_c, MOTION.orient_gv, MOTION.velocity)
# Statements that do not change the tables, by type and by the beginning of their text.
_INERT_TYPES = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
_INERT_PREFIXES = ("if __name__ == '__main__'", "'", '"')
_UNREADABLE = (LookupError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError)


def read_published_statistics(repository: Union[str, Path]) -> dict[str, np.ndarray]:
    """Read mean and standard deviation of the motion vector from a GVHMR checkout.

    The file defines literal tables and joins five of their entries, listed as pairs (table, entry)
    or as a list of tables and a list of entries. Their sizes are checked.

    Args:
        repository (str | Path): Folder of the checkout.

    Returns:
        dict[str, np.ndarray]: ``mean`` and ``std`` (151), float64.

    Raises:
        MissingFilesError: If the folder is not a GVHMR checkout.
        DataError: If the file does not hold the statistics as plain numbers.
    """
    path = Path(repository) / STATISTICS_FILE
    if not path.is_file():
        raise MissingFilesError(
            f'there is no {path}: the folder should be a checkout of GVHMR '
            '(https://github.com/zju3dv/GVHMR). Otherwise give the statistics with `--stats '
            'FILE.npz`'
        )
    try:
        parts = _read_parts(path)
        return {name: _numbers([part[name] for part in parts], name) for name in ('mean', 'std')}
    except _UNREADABLE as error:
        reason = f'there is no {error}' if isinstance(error, KeyError) else str(error)
        raise DataError(
            f'{path}: `{STATISTICS_NAME}` cannot be read without running the file: {reason}. '
            f'{ADVICE}'
        ) from error


def _read_parts(path: Path) -> list[Mapping[str, Any]]:
    """Return the tables that the statistics are joined from, or the single one."""
    tables: dict[str, Any] = {}
    for statement in ast.parse(path.read_text(encoding='utf-8')).body:
        if isinstance(statement, _INERT_TYPES) or ast.unparse(statement).startswith(
            _INERT_PREFIXES
        ):
            continue
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            raise ValueError(
                f'line {statement.lineno}: `{type(statement).__name__}` may change tables in place'
            )
        name, node = statement.targets[0].id, statement.value
        if name != STATISTICS_NAME:
            try:
                tables[name] = ast.literal_eval(node)
            except ValueError:
                tables.pop(name, None)  # Not a table, or no longer one.
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            values = [_value(argument, tables) for argument in arguments]
            pairs = values[0] if len(values) == 1 else zip(*values)
            tables[name] = [a[b] if isinstance(a, Mapping) else b[a] for a, b in pairs]
        else:
            tables[name] = [_value(node, tables)]
    if STATISTICS_NAME not in tables:
        raise ValueError(f'the file does not define it, but {sorted(tables)[:20]}')
    return tables[STATISTICS_NAME]


def _value(node: ast.expr, tables: Mapping[str, Any]) -> Any:
    """Evaluate a literal that may contain names of tables."""
    if isinstance(node, ast.Name):
        return tables[node.id]
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(element, tables) for element in node.elts]
    return ast.literal_eval(node)


def _numbers(parts: list[Any], name: str) -> np.ndarray:
    """Check and join the numbers of all parts."""
    sizes = [part.stop - part.start for part in _PARTS] if len(parts) > 1 else [MOTION.size]
    found = [len(part) for part in parts]
    if found != sizes:
        raise ValueError(f'`{name}` should have {sizes} numbers, got {found}')
    numbers = [number for part in parts for number in part]
    if not all(isinstance(number, (int, float)) for number in numbers):
        raise ValueError(f'`{name}` should be {MOTION.size} numbers, got other values among them')
    array = np.array(numbers, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(
            f'`{name}` should be {MOTION.size} finite numbers, got infinite ones or NaN'
        )
    return array
