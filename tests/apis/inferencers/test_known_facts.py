import numpy as np
import pytest
import torch

from gvhmr_da_mm.apis.inferencers import RecoverySettings, camera_of
from gvhmr_da_mm.apis.inferencers.known_facts import (
    gravity_doubts,
    in_given_world,
    moved,
    on_floor,
    with_height,
)
from gvhmr_da_mm.body_models import get_body_model
from gvhmr_da_mm.core.errors import ConfigError, DataError, MissingFilesError
from gvhmr_da_mm.core.rotation import rotation_about_axis
from gvhmr_da_mm.structures import PersonMotion
from gvhmr_da_mm.video.array_frames import ArrayFrames
from gvhmr_da_mm.video.feature_job import FeatureJob
from gvhmr_da_mm.video.video_camera import intrinsics_of

FRAMES = 9


@pytest.fixture(scope='module')
def body(toy_root):
    return get_body_model('smplx', data_root=toy_root)


@pytest.fixture
def person(body):
    """Return a person who walks and turns, seen by a camera."""
    time = torch.linspace(0, 1, FRAMES)[:, None]
    pose = dict(body_pose=torch.sin(3 * time + torch.arange(63)) * 0.3)
    pose['betas'] = torch.linspace(-1, 1, 10).expand(FRAMES, 10)
    orient_c = torch.cat((3 + 0.1 * time, 0.4 * time, 0 * time), dim=1)
    orient_w = torch.cat((0.1 * time, 0.8 * time, 0 * time), dim=1)
    transl_c = torch.cat((time, 0.3 + 0 * time, 4 + time), dim=1)
    transl_w = torch.cat((time, 1 + 0.2 * time, -2 * time), dim=1)
    joints_c = body.fk(*pose.values(), orient_c, transl_c)
    world = dict(global_orient_w=orient_w, transl_w=transl_w)
    instances = dict(
        pose, **world, global_orient_c=orient_c, transl_c=transl_c, keypoints=joints_c.numpy(),
        static_logits=torch.full((FRAMES, 6), 5.0),
    )  # fmt: skip
    ones = np.ones(FRAMES)
    return PersonMotion.from_prediction(
        instances, id=0, first_frame=0, seen=ones > 0, confidence=ones
    )


def posed(body, person, space):
    """Return the joints (F, 22, 3) of the parameters of a space."""
    names = ('body_pose', 'betas', f'global_orient_{space}', f'transl_{space}')
    return body.fk(*(torch.from_numpy(getattr(person, name)) for name in names)).numpy()


def test_a_known_height(body, person):
    taller = with_height(person, 1.95, body)
    for space in 'cw':
        joints = getattr(taller, f'joints_{space}')
        np.testing.assert_allclose(joints, posed(body, taller, space), atol=1e-4)
        pelvis, before = joints[:, 0], getattr(person, f'joints_{space}')[:, 0]
        scale = (pelvis / before)[1:]
        np.testing.assert_allclose(scale, scale[0, 0], rtol=1e-3)
        assert scale[0, 0] > 1.05


def test_moving_keeps_what_the_camera_sees(body, person):
    R = rotation_about_axis('y', torch.tensor(0.7)).numpy()
    there = moved(person, R, np.array([1.0, 2, 3]))
    np.testing.assert_allclose(there.joints_w, person.joints_w @ R.T + (1, 2, 3), atol=1e-5)
    np.testing.assert_allclose(there.joints_w, posed(body, there, 'w'), atol=1e-4)
    np.testing.assert_allclose(there.joints_c, person.joints_c, atol=1e-5)


def test_the_world_of_a_camera(body, person):
    T_w2c = np.tile(np.diag([1.0, -1, -1, 1]), (FRAMES, 1, 1))
    T_w2c[:, 2, 3] = np.arange(FRAMES)
    there = in_given_world(person, T_w2c)
    np.testing.assert_allclose(there.T_w2c, T_w2c, atol=1e-5)
    np.testing.assert_allclose(there.joints_w, posed(body, there, 'w'), atol=1e-4)
    np.testing.assert_allclose(there.joints_c, person.joints_c, atol=1e-5)


def test_a_camera_that_looks_upside_down_is_told(person):
    turned = person.T_w2c @ rotation(40)
    assert gravity_doubts(person, person.T_w2c) == gravity_doubts(person, turned) == []
    (note,) = gravity_doubts(person, person.T_w2c @ rotation(97))
    assert 'down 97 degrees from where' in note and 'world-to-camera' in note


def rotation(degrees):
    """Return a turn about the x axis of the world (4, 4)."""
    T = np.eye(4)
    T[:3, :3] = rotation_about_axis('x', torch.tensor(np.radians(degrees)))
    return T


def test_a_flat_floor(body, person):
    flat = on_floor(person, flat=True)
    feet = flat.joints_w[:, [7, 8, 10, 11], 1].min(axis=1)
    before = person.joints_w[:, [7, 8, 10, 11], 1].min(axis=1)
    assert np.ptp(feet) < 0.7 * np.ptp(before)
    np.testing.assert_allclose(flat.joints_w, posed(body, flat, 'w'), atol=1e-4)


def test_cameras(tmp_path):
    rotations, poses = tmp_path / 'r.npy', tmp_path / 'p.npz'
    np.save(rotations, np.eye(3)[None])
    np.savez(poses, T_w2c=np.eye(4)[None], up='z')
    assert camera_of(None, None) == 'gyro' and camera_of(None, None, static=True) == 'static'
    assert camera_of(str(rotations), None) == str(rotations)
    assert camera_of(None, str(poses)) == str(poses)
    with pytest.raises(DataError, match='r.npy should have poses `T_w2c`'):
        camera_of(None, str(rotations))
    with pytest.raises(DataError, match='r.npy should have poses `T_w2c`'):
        camera_of(None, str(tmp_path))
    rotations.unlink()
    (tmp_path / 'cams.qca.txt').touch()
    assert camera_of(None, str(tmp_path)) == str(tmp_path)
    with pytest.raises(ConfigError, match='one of the rotations'):
        camera_of(str(rotations), str(poses))


@pytest.mark.parametrize(
    'options, kind, said',
    [
        (dict(floor='tiles'), ConfigError, "`floor` should be one of .* got 'tiles'"),
        (dict(focal='long'), ConfigError, '`focal` should be pixels'),
        (dict(camera='none.npy'), MissingFilesError, 'gyro, static, or an existing'),
        (dict(focal=0.0), ConfigError, '`focal` should be pixels'),
        (dict(camera=np.eye(3)), MissingFilesError, 'gyro, static, or an existing'),
        *((dict(fps=fps), ConfigError, '`fps` should be positive') for fps in (0, np.inf, '30')),
        *(
            (dict(height=height), ConfigError, '`height` should be in metres')
            for height in (178, -1.8, np.nan, '1.8', True, {0: 1.8, 1: 178}, {0: None})
        ),
        (dict(height={'0': 1.8}), ConfigError, '`height` .* by the id of the person'),
    ],
)
def test_impossible_settings(options, kind, said):
    with pytest.raises(kind, match=said):
        RecoverySettings(**options)


def test_a_number_is_a_focal_length_too():
    size = (640, 480)
    for focal in (500, 500.0, np.float32(500)):
        assert RecoverySettings(focal=focal)
        np.testing.assert_array_equal(intrinsics_of(focal, *size), intrinsics_of('500', *size))


def test_heights_and_signatures():
    settings = RecoverySettings(height={2: 1.6})
    assert settings.height_of(2) == 1.6 and settings.height_of(0) is None
    assert RecoverySettings(height=1.8).height_of(7) == 1.8
    frames = ArrayFrames(np.zeros((2, 4, 6, 3), np.uint8), 30)

    def observed(settings):
        return settings.observation_signature(frames, 'frames')

    plain = RecoverySettings()
    still = RecoverySettings(camera='static')
    focal = RecoverySettings(camera='static', focal='24mm')
    assert still.recovery() != focal.recovery() and observed(still) == observed(focal)
    for changed in (dict(height=1.8), dict(floor='flat'), dict(fit=False)):
        other = RecoverySettings(**changed)
        assert observed(other) == observed(plain)
        assert other.recovery() != plain.recovery()
    longest, largest = (RecoverySettings(job=FeatureJob(people=p)) for p in ('longest', 'largest'))
    assert observed(longest) == observed(largest) != observed(plain)
    assert observed(RecoverySettings(focal='24mm')) != observed(plain)
