"""Keypoints of people in tiny videos."""

import numpy as np


def walking(frames, left=10.0, size=30.0, speed=0.5):
    """COCO-17 of a person (F, 17, 3) that walks to the right."""
    points = np.random.default_rng(0).uniform(0, 1, (17, 2)) * (size / 2, size)
    kp2d = np.full((frames, 17, 3), 0.9)
    kp2d[..., :2] = points + (left, 10)
    kp2d[..., 0] += speed * np.arange(frames)[:, None]
    return kp2d
