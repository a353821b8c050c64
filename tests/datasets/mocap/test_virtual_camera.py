import math

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.camera import perspective_project
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.extrinsics import invert_rigid
from gvhmr_da_mm.core.rotation import is_rotation
from gvhmr_da_mm.datasets.mocap.virtual_camera import CAMERA_KINDS, VirtualCamera

SECONDS = torch.arange(120) / 30
WALK = torch.stack((1.3 * SECONDS, 0.95 + 0.03 * (12 * SECONDS).sin(), SECONDS.sin()), dim=-1)
ON_THE_SPOT = WALK * torch.tensor([0.05, 1.0, 0.05])


def film(seed, path=WALK, **options):
    return VirtualCamera(**options)(path, np.random.default_rng(seed))


@pytest.mark.parametrize('kind', CAMERA_KINDS)
@pytest.mark.parametrize('path', [WALK, ON_THE_SPOT], ids=['walk', 'on the spot'])
def test_the_pelvis_stays_in_the_image(kind, path):
    for seed in range(60):
        camera = film(seed, path, kinds=(kind,))
        seen = (camera.T_w2c[:, :3, :3] @ path[..., None])[..., 0] + camera.T_w2c[:, :3, 3]
        assert seen[:, 2].min() > 0.5
        pixels = perspective_project(seen[:, None], camera.K)[:, 0]
        assert ((pixels > 0) & (pixels < torch.tensor(camera.img_wh))).all()
        assert is_rotation(camera.T_w2c[:, :3, :3], 1e-4).all()
        assert invert_rigid(camera.T_w2c)[:, 1, 3].min() > 0


def test_kinds_move_as_their_names_say():
    for seed in range(20):
        cameras = {kind: film(seed, ON_THE_SPOT, kinds=(kind,)) for kind in CAMERA_KINDS}
        moves = {
            kind: bool(invert_rigid(camera.T_w2c)[:, :3, 3].diff(dim=0).abs().max() > 1e-3)
            for kind, camera in cameras.items()
        }
        turns = {
            kind: bool(camera.T_w2c[:, :3, :3].diff(dim=0).abs().max() > 1e-5)
            for kind, camera in cameras.items()
        }
        assert moves == dict(static=False, pan=False, track=True, dolly=True, handheld=True)
        assert turns['static'] is not cameras['static'].is_static
        assert turns['pan'] and turns['dolly'] and turns['handheld']


def test_cameras_cover_what_they_promise():
    cameras = [film(seed, ON_THE_SPOT) for seed in range(400)]
    sensors = torch.tensor(
        [float(c.K[0, 0]) / math.hypot(*c.img_wh) * math.hypot(36, 24) for c in cameras]
    )
    assert 24 <= sensors.min() < 30 and 170 < sensors.max() <= 200
    first = torch.stack([c.T_w2c[0] for c in cameras])
    centre = invert_rigid(first)[:, :3, 3]
    distance = (centre - ON_THE_SPOT[0]).norm(dim=-1)
    assert distance.min() < 2.5 and distance.max() > 40
    assert centre[:, 1].min() < 0.6 and centre[:, 1].max() > 5
    # Roll: how far the image of the vertical leans, in cameras that are nearly level.
    down = -first[:, :3, 1]
    roll = torch.rad2deg(torch.atan2(down[:, 0], down[:, 1]))[down[:, 2].abs() < 0.2]
    assert roll.abs().max() < 35 and roll.min() < -12 and roll.max() > 12
    assert {c.kind for c in cameras} == set(CAMERA_KINDS)


def test_share_of_cameras_at_any_angle():
    for prob in (0.0, 0.25, 1.0):
        first = torch.stack(
            [
                film(seed, ON_THE_SPOT, kinds=('static',), any_angle_prob=prob).T_w2c[0]
                for seed in range(400)
            ]
        )
        offset = invert_rigid(first)[:, :3, 3] - ON_THE_SPOT.mean(dim=0)
        elevation = torch.rad2deg(torch.atan2(offset[:, 1], offset[:, [0, 2]].norm(dim=-1)))
        # Uniform from 10 degrees below to 60 above, but never below the floor.
        steep = float((elevation > 42.5).double().mean())
        assert steep == pytest.approx(prob / 4, abs=0.08 if prob else 0.02)


def test_share_of_level_cameras():
    for prob in (0.0, 0.25, 1.0):
        camera = VirtualCamera(roll=35.0, level_prob=prob)
        rolls = [abs(camera._draw_roll(np.random.default_rng(seed))) for seed in range(400)]
        tilted = np.mean(np.degrees(rolls) > 7)
        assert tilted == pytest.approx((1 - prob) * 28 / 35, abs=0.07 if prob < 1 else 0.01)


def test_some_people_are_partly_out_of_the_image():
    head, feet = (ON_THE_SPOT + torch.tensor([0.0, y, 0.0]) for y in (0.75, -0.95))
    cut = 0
    for seed in range(200):
        camera = film(seed, ON_THE_SPOT)
        points = torch.stack((head, feet), dim=1)
        R, shift = camera.T_w2c[:, :3, :3], camera.T_w2c[:, None, :3, 3]
        pixels = perspective_project(points @ R.mT + shift, camera.K)
        cut += not ((pixels > 0) & (pixels < torch.tensor(camera.img_wh))).all()
    assert 20 < cut < 180


def test_same_seed_same_camera():
    assert torch.equal(film(3).T_w2c, film(3).T_w2c)
    assert not torch.equal(film(3).T_w2c, film(4).T_w2c)


@pytest.mark.parametrize('options', [
    dict(kinds=('drone',)), dict(kinds=()), dict(focal_mm=(50, 24)), dict(height=(0, 2)),
    dict(offset=0.5), dict(any_angle_prob=1.5), dict(level_prob=-1),
])  # fmt: skip
def test_impossible_options(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        VirtualCamera(**options)
