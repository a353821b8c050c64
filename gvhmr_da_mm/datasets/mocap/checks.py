"""Checks of recorded motion: up axis, and plausible shapes and speeds."""

from torch import Tensor

from ...core.conventions import FPS, MAX_PLAUSIBLE_BETA
from ...core.errors import DataError
from ...core.rotation import axis_angle_to_matrix
from .motion import MAX_ACCELERATION, MAX_JOINT_STEP, Motion, acceleration, joint_steps

STANDING_HEIGHT = (0.2, 1.8)
"""Range of the height of the pelvis in metres of a person who does not lie or climb."""
MIN_UPRIGHT = 0.6
"""Smallest mean component of the spine along the axis on which people stand."""


def check_up_axis(where: str, orient: Tensor, pelvis: Tensor) -> None:
    """Check that a recording has z up, as AMASS has.

    People who lie or crawl along y differ from people who stand in a y-up world only by the height
    of their pelvis.

    Args:
        where (str): File or sequence, for the message.
        orient (Tensor): Root orientations (F, 3), axis-angle, as recorded.
        pelvis (Tensor): Positions of the pelvis (F, 3) in metres, as recorded.

    Raises:
        DataError: If people stand along y.
    """
    low, high = STANDING_HEIGHT
    stands = bool(((pelvis[:, 1] > low) & (pelvis[:, 1] < high)).all())
    # In its rest pose a body of the SMPL family is upright along its own y.
    upright = float(axis_angle_to_matrix(orient)[:, 1, 1].mean())
    if stands and upright > MIN_UPRIGHT:
        raise DataError(
            f'{where}, `poses` and `trans`: expected a world with z up, as AMASS has, got one with '
            f'y up: people stand along y, {float(pelvis[:, 1].mean()):.2f} m above y = 0. Convert '
            "it (x, y, z -> x, -z, y), or read it with `up='y'`"
        )


def check_shape(where: str, key: str, betas: Tensor) -> None:
    """Check that a recorded shape is that of a person: its bones scale the trajectory.

    Args:
        where (str): File or sequence, for the message.
        key (str): Its field, for the message.
        betas (Tensor): Shape (10,).

    Raises:
        DataError: If a component is larger than a person's.
    """
    largest = float(betas.abs().max())
    if largest > MAX_PLAUSIBLE_BETA:
        raise DataError(
            f'{where}, `{key}`: expected shape components of at most {MAX_PLAUSIBLE_BETA:g}, got '
            f'up to {largest:.1f}. Repair the recording, or leave it out (`exclude`, or '
            "on_bad_sample='skip')"
        )


def check_plausible(where: str, motion: Motion, first: int = 0) -> None:
    """Check that positions and poses do not jump between frames.

    Args:
        where (str): File or sequence, for the message.
        motion (Motion): F frames.
        first (int): Frame that the motion begins with. Defaults to 0.

    Raises:
        DataError: If the pelvis accelerates or a joint turns faster than people can.
    """
    if len(motion) > 2:
        _require(
            where,
            '`trans`',
            acceleration(motion),
            MAX_ACCELERATION,
            'm/s² of acceleration of the pelvis',
            first + 1,
        )
    if len(motion) > 1:
        speed = joint_steps(motion) * FPS
        _require(where, '`poses`', speed, MAX_JOINT_STEP * FPS, 'rad/s of a joint', first + 1)


def _require(where: str, key: str, values: Tensor, limit: float, unit: str, first: int) -> None:
    above = (values > limit).nonzero()
    if not len(above):
        return
    raise DataError(
        f'{where}, {key}: expected at most {limit:g} {unit}, got up to '
        f'{float(values.max()):.0f} in {len(above)} frame(s), first at frame '
        f'{first + int(above[0])} (30 per second): a marker was lost or taken for another. Repair '
        "the recording, or leave it out (`exclude`, or on_bad_sample='skip')"
    )
