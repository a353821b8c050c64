"""What a check of a pack has found."""

from dataclasses import asdict, dataclass
from typing import Any

ERROR, WARNING = 'error', 'warning'


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or odd, with a sequence or a file.

    Attributes:
        severity (str): ``error``: training or scores would be wrong; ``warning``: worth a look.
        message (str): What was expected and what was found.
        file (str): The file. Defaults to ''.
        key (str): Path of the field in it. Defaults to ''.
        check (str): The check that found it. Defaults to ''.
    """

    severity: str
    message: str
    file: str = ''
    key: str = ''
    check: str = ''

    def as_dict(self) -> dict[str, Any]:
        """Return it for a JSON file."""
        return asdict(self)
