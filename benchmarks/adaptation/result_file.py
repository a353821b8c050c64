"""Files that the benchmark and its runs exchange."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from gvhmr_da_mm.fileio.atomic_file import write_atomically

RUN_FILE, RESULT_FILE, LOG_FILE = 'run.json', 'result.json', 'run.log'


def write_result(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON atomically; numbers that are not finite become null.

    Args:
        path (Path): The file.
        content (Mapping): Its content.
    """
    text = json.dumps(finite(content), indent=1, allow_nan=False, ensure_ascii=False)
    write_atomically(path, text + '\n')


def read_result(path: Path) -> Optional[dict[str, Any]]:
    """Return the result of a run; None if the file is missing or incomplete."""
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def finite(value: Any) -> Any:
    """Return a value with plain types for JSON, with None for NaN and infinity."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if hasattr(value, 'item'):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
