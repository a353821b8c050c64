"""Drawings of motions on video frames and in the world, and plots of training."""

from .body_track import BodyTrack, ground_truth_track, joint_errors, prediction_track
from .contact_sheet import draw_contact_sheet, draw_tile
from .display import require_display
from .html_viewer import write_html_viewer
from .motion_local_visualizer import MotionLocalVisualizer
from .result_page import write_result_page
from .result_tracks import result_tracks
from .result_video import write_result_video
from .video import VideoReader, VideoWriter, write_motion_video
from .world_view import WorldView

__all__ = [
    'BodyTrack',
    'MotionLocalVisualizer',
    'VideoReader',
    'VideoWriter',
    'WorldView',
    'draw_contact_sheet',
    'draw_tile',
    'ground_truth_track',
    'joint_errors',
    'prediction_track',
    'require_display',
    'result_tracks',
    'write_html_viewer',
    'write_motion_video',
    'write_result_page',
    'write_result_video',
]
