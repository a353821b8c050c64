"""Finding of a check."""

from dataclasses import dataclass

ERROR, WARNING = 'error', 'warning'


@dataclass(frozen=True)
class Finding:
    """Problem of a sequence or a file.

    Attributes:
        severity (str): ``error``: training or scores would be wrong; ``warning``: to be reviewed.
        message (str): What was expected and what was found.
        file (str): The file. Defaults to ''.
        key (str): Nested keys of the field, joined by dots. Defaults to ''.
        check (str): Name of the check. Defaults to ''.
    """

    severity: str
    message: str
    file: str = ''
    key: str = ''
    check: str = ''
