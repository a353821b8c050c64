"""Card of a model, the JSON file beside its weights."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Union

from ..core.errors import CheckpointError, ConfigError, MissingFilesError
from ..fileio.checksum import file_sha256
from ..registry.arguments import check_arguments

FORMAT = 'gvhmr_da_mm model'
VERSION = 1
WEIGHTS_SUFFIX, CARD_SUFFIX = '.safetensors', '.json'
_FIRST = 'copy both files of the model again'


@dataclass(frozen=True)
class ModelCard:
    """Card of a model: what it is, where it comes from, what it reaches.

    Args:
        name (str): Name of the model; its files are ``NAME.safetensors`` and ``NAME.json``.
        description (str): What it predicts, from what, in a sentence.
        license (str): Licence of the weights, such as ``Apache-2.0``.
        package_version (str): Version of this package that published it.
        weights (dict): ``sha256``, ``bytes`` and ``parameters`` of the weights file.
        config (dict): ``model``, the config to build it from, without paths of a machine.
        data (list[dict]): Sources of the training data: ``name``, ``subjects``, ``terms``,
            ``notice`` and others.
        training (dict): ``seed``, length and datasets of the training, and other facts.
        limits (list[str]): What it was never shown or does badly.
        metrics (dict): Numbers of ``evaluate_keypoint_model.py``. Defaults to {}: not evaluated.
        format (str): Name of the format.
        version (int): Its version.
    """

    name: str
    description: str
    license: str
    package_version: str
    weights: dict
    config: dict
    data: list[dict]
    training: dict
    limits: list[str]
    metrics: dict = field(default_factory=dict)
    format: str = FORMAT
    version: int = VERSION

    @classmethod
    def read(cls, path: Union[str, Path]) -> 'ModelCard':
        """Read the card of a weights file.

        Args:
            path (str | Path): The weights file, or the card itself.

        Raises:
            MissingFilesError: If there is no card.
            CheckpointError: If it is damaged, or of another version.
        """
        path = Path(path).with_suffix(CARD_SUFFIX)
        if not path.is_file():
            raise MissingFilesError(
                f'{path} does not exist: weights in safetensors format come with a card, which '
                f'holds their config and checksum; {_FIRST}'
            )
        try:
            values = json.loads(path.read_text(encoding='utf-8'))
        except (ValueError, RecursionError) as error:
            raise CheckpointError(f'{path} is no JSON file ({error}); {_FIRST}') from error
        return cls.of(values, str(path))

    @classmethod
    def of(cls, values: Any, where: str) -> 'ModelCard':
        """Create a card from its values by name.

        Args:
            values (Any): Should be a dict of the arguments.
            where (str): The file, for messages.

        Raises:
            CheckpointError: If it is that of another format or version, or a value is missing or of
                a wrong type.
        """
        if not isinstance(values, Mapping) or values.get('format') != FORMAT:
            raise CheckpointError(f'{where} is no card of a model: `format` should be {FORMAT!r}')
        if values.get('version') != VERSION:
            raise CheckpointError(
                f'{where} has version {values.get("version")!r} of the format, expected {VERSION}: '
                'update this package, or take the model of its version'
            )
        try:
            check_arguments(cls, values, where)
            card = cls(**values)
            return card._checked()
        except (ConfigError, TypeError, KeyError) as error:
            raise CheckpointError(f'{where}: the card is damaged ({error}); {_FIRST}') from error

    def _checked(self) -> 'ModelCard':
        if not isinstance(self.config['model'], Mapping):
            raise ConfigError('`config.model` should be a dict')
        if not isinstance(self.weights['bytes'], int) or not self.weights['sha256']:
            raise ConfigError('`weights` should have `bytes` and `sha256`')
        return self

    def check_weights(self, path: Path) -> None:
        """Check that a weights file is complete and that of the card.

        Args:
            path (Path): The weights file, which exists.

        Raises:
            CheckpointError: If its size or its checksum is another one.
        """
        size, expected = path.stat().st_size, self.weights['bytes']
        if size != expected:
            what = 'is cut short' if size < expected else 'is another file'
            raise CheckpointError(
                f'{path} {what}: it has {size} bytes, its card says {expected}; {_FIRST}'
            )
        digest = file_sha256(path)
        if digest != self.weights['sha256']:
            raise CheckpointError(
                f'{path} is not the file that its card describes: its sha256 is {digest}, expected '
                f'{self.weights["sha256"]}. It is damaged or of another version; {_FIRST}'
            )

    def to_json(self) -> str:
        """Return the content of the file."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + '\n'
