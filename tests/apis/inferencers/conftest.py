"""A tiny trained network, and a video with the keypoints of people who walk."""

import numpy as np
import pytest
import torch
from mmengine.config import Config

from gvhmr_da_mm.apis.inferencers import MotionInferencer
from gvhmr_da_mm.registry import MODELS
from gvhmr_da_mm.video import view_observation
from tests.testing import isolated_registry, toy_model_config
from tests.video.people import walking
from tests.video.videos import write_video

FRAMES = 40
SIZE = (96, 64)


@pytest.fixture(scope='session')
def checkpoint(toy_root, tmp_path_factory):
    """Return the checkpoint of a network that stores its config."""
    torch.manual_seed(0)
    config = toy_model_config(toy_root, num_layers=1)
    path = tmp_path_factory.mktemp('checkpoint') / 'model.pth'
    with isolated_registry():
        state = MODELS.build(config).state_dict()
    meta = dict(cfg=Config(dict(model=config)).pretty_text)
    torch.save(dict(state_dict=state, meta=meta), path)
    return path


@pytest.fixture
def people(tmp_path):
    """Return a file of keypoints of two people, of whom the second is there in the middle only."""
    return keypoints(tmp_path / 'people.npz', [(0, FRAMES), (4, FRAMES - 2)])


def keypoints(path, spans, frames=FRAMES):
    """Write keypoints of people who are there in frames from a start to an end."""
    kp2d = np.full((len(spans), frames, 17, 3), np.nan)
    for number, (start, end) in enumerate(spans):
        walk = walking(frames, left=6.0 + 36 * number, size=26)
        kp2d[number, start:end] = walk[start:end]
    np.savez(path, kp2d=kp2d)
    return path


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / 'walk.mp4', FRAMES, size=SIZE)


@pytest.fixture
def inferencer(checkpoint, toy_root, people):
    return MotionInferencer(
        weights=checkpoint, data_root=toy_root, keypoints=str(people), device='cpu'
    )


@pytest.fixture
def detected(monkeypatch):
    """Return a list to which each detection in a video is added."""
    paths, detect = [], view_observation.detect

    def count(source, *args):
        paths.append(source.path)
        return detect(source, *args)

    monkeypatch.setattr(view_observation, 'detect', count)
    return paths
