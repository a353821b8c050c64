"""Data preprocessors."""

from .motion_data_preprocessor import MotionDataPreprocessor

__all__ = ['MotionDataPreprocessor']
