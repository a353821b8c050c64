from .motion_head import MotionHead

__all__ = ['MotionHead']
