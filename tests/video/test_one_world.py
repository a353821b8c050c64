from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch

from gvhmr_da_mm.core.errors import ShapeError
from gvhmr_da_mm.core.extrinsics import invert_rigid
from gvhmr_da_mm.video.one_world import place_in_one_world

from .two_people import two_people

pytestmark = pytest.mark.skipif(
    find_spec('mannequin') is None, reason='needs mannequin-x, the mesh of the demo bodies'
)
CAMERAS = ('static', 'pan', 'moving')


def in_world(people, world):
    return [place(person.joints_w.double()) for place, person in zip(world.placements, people)]


def place(scene, camera, people):
    # Any world will do, as the gyro's has no vertical.
    return place_in_one_world(people, scene.T_w2c[:, :3, :3] @ torch.eye(3)[[1, 2, 0]].mT,
                              static_camera=camera == 'static')  # fmt: skip


@pytest.mark.parametrize('camera', CAMERAS)
def test_exact_motions_are_placed_exactly_whatever_their_own_worlds(camera):
    scene = two_people(camera)
    people = [scene.motion(0, heading=0.7), scene.motion(1, heading=-2.5)]
    world = place(scene, camera, people)
    first, second = in_world(people, world)
    distance = (first[:, 0] - second[:, 0]).norm(dim=-1)
    torch.testing.assert_close(distance.float(), scene.distance(), atol=0.02, rtol=0)
    # The first keeps its heading and place.
    torch.testing.assert_close(first[:, 0, ::2], people[0].joints_w[:, 0, ::2].double())
    lowest = [joints[..., 1].amin(dim=1).median() for joints in (first, second)]
    torch.testing.assert_close(torch.stack(lowest), torch.zeros(2).double(), atol=0.02, rtol=0)
    # The pelvis is where the camera sees it.
    T_c2w = invert_rigid(world.T_w2c)
    seen = (T_c2w[:, :3, :3] @ people[1].pelvis_c.double()[..., None])[..., 0] + T_c2w[:, :3, 3]
    torch.testing.assert_close(seen[10:-10], second[10:-10, 0], atol=0.05, rtol=0)
    for placement in world.placements:
        assert placement.linked and placement.residual < 0.03 and abs(placement.floor_gap) < 0.03


@pytest.mark.parametrize('camera', CAMERAS)
def test_with_noise_distances_are_right_to_ten_percent_on_average(camera):
    scene, errors = two_people(camera), []
    true = scene.distance()
    for seed in range(6):
        people = [scene.motion(n, noise=1.0, heading=1.2 * n, seed=seed) for n in range(2)]
        first, second = in_world(people, place(scene, camera, people))
        apart = (first[:, 0] - second[:, 0], people[0].pelvis_c - people[1].pelvis_c)
        errors.append([((d.norm(dim=-1) - true).abs() / true).median() for d in apart])
    placed, as_seen = torch.tensor(errors).T
    assert placed.mean() < 0.1 and placed.max() < 0.2
    assert placed.mean() < 0.6 * as_seen.mean()


def test_wrong_frames_have_little_influence():
    scene = two_people()
    people = [scene.motion(0), scene.motion(1)]
    people[1].pelvis_c[40:55] *= 2
    first, second = in_world(people, place(scene, 'pan', people))
    distance = (first[:, 0] - second[:, 0]).norm(dim=-1)
    torch.testing.assert_close(distance.float(), scene.distance(), atol=0.1, rtol=0)


def test_people_who_never_meet_are_placed_by_the_camera_and_marked():
    scene = two_people()
    people = [scene.motion(0), scene.motion(1)]
    people[0].seen[40:] = False
    people[1].seen[:60] = False
    for camera in ('static', 'pan'):
        world = place(scene, camera, people)
        first, second = in_world(people, world)
        distance = (first[:, 0] - second[:, 0]).norm(dim=-1)
        torch.testing.assert_close(distance.float(), scene.distance(), atol=0.1, rtol=0)
        linked = [placement.linked for placement in world.placements]
        assert linked == ([True, True] if camera == 'static' else [True, False])


def test_a_step_shows_as_a_gap_of_the_floor():
    scene = two_people()
    people = [scene.motion(0), scene.motion(1)]
    people[1] = replace(people[1], pelvis_c=people[1].pelvis_c - torch.tensor([0, 0.5, 0]))
    world = place(scene, 'static', people)
    gaps = [placement.floor_gap for placement in world.placements]
    # Part of it is taken for wrong depths and a tilted camera.
    assert 0.2 < gaps[0] - gaps[1] < 0.5


def test_one_person_alone_is_only_put_on_the_floor():
    scene = two_people()
    (person,) = people = [scene.motion(0)]
    world = place_in_one_world(people, scene.T_w2c[:, :3, :3])
    shift = world.placements[0].shift
    torch.testing.assert_close(world.placements[0].R, torch.eye(3).double())
    assert shift[0] == shift[2] == 0 and shift[1] > 0.5


def test_bad_input_is_named():
    scene = two_people()
    person, R = scene.motion(0), scene.T_w2c[:, :3, :3]
    with pytest.raises(ShapeError, match='at least one person'):
        place_in_one_world([], R)
    with pytest.raises(ShapeError, match=r'people\[1\].*within the 100 frames'):
        place_in_one_world([person, replace(person, start=1)], R)
    with pytest.raises(ShapeError, match=r'people\[0\].*leave it out'):
        place_in_one_world([replace(person, seen=torch.zeros(100, dtype=torch.bool))], R)
    with pytest.raises(ShapeError, match=r'people\[0\].pelvis_c'):
        place_in_one_world([replace(person, pelvis_c=person.pelvis_c[1:])], R)
