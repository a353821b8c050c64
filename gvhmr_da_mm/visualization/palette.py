"""Colours (RGB, 0 to 255) and bones of all drawings."""

from ..core.conventions import BODY_JOINT_NAMES, PARENTS_22

Colour = tuple[int, int, int]

BACKGROUND: Colour = (23, 26, 32)
PANEL: Colour = (33, 37, 45)
GRID: Colour = (58, 64, 76)
GRID_MAJOR: Colour = (92, 100, 116)
TEXT: Colour = (228, 231, 236)
MUTED_TEXT: Colour = (150, 157, 170)

LEFT: Colour = (64, 196, 190)
RIGHT: Colour = (245, 140, 74)
MIDDLE: Colour = (214, 218, 226)
PREDICTION: Colour = (92, 158, 255)
GROUND_TRUTH: Colour = (188, 190, 196)
CAMERA: Colour = (250, 204, 84)
GROUND_TRUTH_CAMERA: Colour = (150, 128, 72)
CONTACT: Colour = (88, 214, 96)
PEOPLE: tuple[Colour, ...] = (
    PREDICTION, (255, 176, 72), (126, 214, 122), (222, 118, 214), (94, 214, 222), (240, 112, 112),
)  # fmt: skip
"""Colours of the people of a video, by their id; the first again after the last."""
DETECTION: Colour = (236, 92, 188)
AXES: tuple[Colour, Colour, Colour] = ((240, 98, 98), (120, 208, 110), (110, 160, 250))

BONES = tuple((parent, joint) for joint, parent in enumerate(PARENTS_22) if parent >= 0)
"""Pairs (parent, joint) of the 22 joints."""


def side_colour(name: str) -> Colour:
    """Return the colour of the side with which a joint name begins."""
    return {'left': LEFT, 'right': RIGHT}.get(name.partition('_')[0], MIDDLE)


def person_colour(number: int) -> Colour:
    """Return the colour of a person by its id."""
    return PEOPLE[number % len(PEOPLE)]


JOINT_COLOURS = tuple(side_colour(name) for name in BODY_JOINT_NAMES)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Blend two colours; ``share`` is that of the second, 0 to 1."""
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second))
