"""Evaluation protocols: the conditions under which results can be compared."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Union

from ..core.checks import check_choice
from ..core.conventions import FPS
from ..core.errors import ConfigError

SPACES = ('camera', 'world')
TARGET_BODIES = ('smpl', 'smplx')
CONDITIONS = ('intrinsics', 'camera_rotation')
"""Conditions of a protocol that the options of a dataset can change."""
COVERAGE = 'coverage'
"""Metric of protocols that are end to end: share of the labelled frames that were matched, %."""
MATCHED_PREFIX = 'matched_'
"""Start of the names of errors of the matched frames only."""


@dataclass(frozen=True)
class Protocol:
    """Scoring of one benchmark, and the reference model's results on it.

    Attributes:
        name (str): Name of the protocol, the prefix of its results.
        dataset (str): Samples whose metainfo has this ``dataset`` are scored.
        space (str): 'camera' or 'world'.
        regressor (str): Joint set: name of the regressor that takes SMPL vertices to joints, for
            the prediction and the truth alike (see ``body_models.load_regressor``).
        pelvis (tuple[int, ...]): Rows of the regressor whose mean is the pelvis.
        flat_hand_mean (bool): Whether the predicted SMPL-X mesh has flat hands, instead of the
            model file's mean hand pose.
        mask (str): Description of the scored frames.
        intrinsics (str): Intrinsics in the model's inputs: 'true' or 'estimated', with an optional
            description after a colon.
        camera_rotation (str): Camera rotation in the model's inputs: 'true' or the name of an
            estimate, then likewise. Defaults to 'true: `T_w2c` of the pack'.
        target_body (str): Body of the truth, 'smpl' or 'smplx', of the sample's gender. Defaults to
            'smpl'.
        root (int): Row of the regressor that is the root, for the trajectory. Defaults to 0.
        end_to_end (bool): Whether people are found by the method itself: errors are of the frames
            in which a labelled person was found (see :func:`.matched_samples`), and their share,
            the coverage, is a result too. Defaults to False.
        fps (float): Frames per second. Defaults to 30.
        published (Mapping[str, float]): The reference model's numbers (GVHMR, Tables 1 and 2), in
            the metrics' own units. Defaults to none.
    """

    name: str
    dataset: str
    space: str
    regressor: str
    pelvis: tuple[int, ...]
    flat_hand_mean: bool
    mask: str
    intrinsics: str
    camera_rotation: str = 'true: `T_w2c` of the pack'
    target_body: str = 'smpl'
    root: int = 0
    end_to_end: bool = False
    fps: float = FPS
    published: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_choice(self.space, SPACES, 'space')
        check_choice(self.target_body, TARGET_BODIES, 'target_body')
        object.__setattr__(self, 'pelvis', tuple(self.pelvis))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, to be stored beside a result."""
        return {**asdict(self), 'pelvis': list(self.pelvis), 'published': dict(self.published)}

    def describe(self) -> str:
        """Return the protocol in one line, to be printed beside a result."""
        pelvis = ', '.join(map(str, self.pelvis))
        place = f'pelvis {pelvis}' if self.space == 'camera' else f'root {self.root}'
        return (
            f'{self.name}: {self.space} space; joints {self.regressor} ({place}); '
            f'{self.mask}; intrinsics {self.intrinsics}; camera rotation {self.camera_rotation}; '
            f'{"flat" if self.flat_hand_mean else "mean"} hands; {self.fps:g} fps'
            f'{"; end to end" if self.end_to_end else ""}'
        )

    def differences(self, conditions: Mapping[str, Any]) -> dict[str, str]:
        """Return the conditions that differ from those of the protocol.

        Args:
            conditions (Mapping): Conditions of the samples by the names in ``CONDITIONS``; absent
                ones are not compared.

        Returns:
            dict[str, str]: Description of each difference by name.
        """
        found = {}
        for name in CONDITIONS:
            wanted = getattr(self, name)
            if name in conditions and conditions[name] != wanted.partition(':')[0]:
                found[name] = f'{conditions[name]} instead of {wanted}'
        return found


_EMDB1 = Protocol(
    name='emdb1',
    dataset='emdb1',
    space='camera',
    regressor='smpl24',
    pelvis=(1, 2),
    flat_hand_mean=False,
    mask='frames with a good label (`mask` of the pack)',
    intrinsics='estimated: focal length = image diagonal',
    published={'pa_mpjpe': 42.7, 'mpjpe': 72.6, 'pve': 84.2, 'accel': 3.6},
)
_EMDB2 = replace(
    _EMDB1,
    name='emdb2',
    dataset='emdb2',
    space='world',
    published={'wa_mpjpe': 109.1, 'w_mpjpe': 274.9, 'rte': 1.9, 'jitter': 16.5, 'fs': 3.5},
)
_3DPW = Protocol(
    name='3dpw',
    dataset='3dpw',
    space='camera',
    regressor='3dpw14',
    pelvis=(2, 3),
    flat_hand_mean=True,
    mask='frames with a good label (`mask_wham` of the pack)',
    intrinsics='true',
    published={'pa_mpjpe': 36.2, 'mpjpe': 55.6, 'pve': 67.2, 'accel': 5.0},
)
_RICH = replace(
    _EMDB2,
    name='rich',
    dataset='rich',
    target_body='smplx',
    intrinsics='true',
    published={},
)
_RICH_CAMERA = replace(_RICH, name='rich_camera', space='camera')


def end_to_end(protocol: Protocol) -> Protocol:
    """Return the protocol that scores what a method finds in the videos, named ``*_e2e``.

    Args:
        protocol (Protocol): The protocol of given boxes.
    """
    return replace(
        protocol,
        name=f'{protocol.name}_e2e',
        end_to_end=True,
        mask=f'{protocol.mask}, matched by box',
        intrinsics="estimated: the method's own",
        camera_rotation="estimated: the method's own",
        published={},
    )


_GIVEN_BOXES = (_EMDB1, _EMDB2, _3DPW, _RICH, _RICH_CAMERA)
PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol for protocol in (*_GIVEN_BOXES, *map(end_to_end, _GIVEN_BOXES))
}


def get_protocol(protocol: Union[str, Protocol, Mapping[str, Any]]) -> Protocol:
    """Return a protocol by name, from the fields of a config, or as it is.

    Args:
        protocol (str | Protocol | Mapping): A name in ``PROTOCOLS``, a protocol, or its fields; a
            field ``base`` names the protocol that supplies those that are absent.

    Returns:
        Protocol: The protocol.

    Raises:
        ConfigError: If the name or a field is unknown, or a field is missing.

    Examples:
        >>> get_protocol('emdb1').pelvis
        (1, 2)
        >>> get_protocol(dict(base='emdb1', name='mine', dataset='mine', published={})).regressor
        'smpl24'
    """
    if isinstance(protocol, Protocol):
        return protocol
    if isinstance(protocol, str):
        if protocol not in PROTOCOLS:
            raise ConfigError(
                f'`protocol` should be one of {sorted(PROTOCOLS)}, or the fields of a new one, got '
                f"{protocol!r}. Its default is the metric's `dataset`"
            )
        return PROTOCOLS[protocol]
    fields = dict(protocol)
    base = fields.pop('base', None)
    try:
        return replace(get_protocol(base), **fields) if base is not None else Protocol(**fields)
    except TypeError as error:
        raise ConfigError(f'`protocol` has a wrong or missing field: {error}') from error
