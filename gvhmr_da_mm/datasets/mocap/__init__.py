from .film import camera_labels, draw_box
from .mocap_body import MocapBody
from .motion import Motion
from .motion_sources import MotionSource, open_source
from .pose_variation import PoseVariation
from .virtual_camera import CameraTrajectory, VirtualCamera

__all__ = [
    'CameraTrajectory',
    'MocapBody',
    'Motion',
    'MotionSource',
    'PoseVariation',
    'VirtualCamera',
    'camera_labels',
    'draw_box',
    'open_source',
]
