"""Stand-in body models: SMPL-X and SMPL files made from a mannequin."""

from .posed_body import PosedBody
from .stand_in_body import StandInBody, write_body_models

__all__ = ['PosedBody', 'StandInBody', 'write_body_models']
