import webbrowser
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData

from gvhmr_da_mm.core.camera import transform_smpl
from gvhmr_da_mm.core.errors import ConfigError, DataError, ShapeError
from gvhmr_da_mm.core.extrinsics import rigid_transform
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.structures import (
    CameraMotion,
    MotionResult,
    PersonMotion,
)
from gvhmr_da_mm.structures.motion_result import RESULT_WRITERS

FRAMES = 6
T_W2C = rigid_transform(
    axis_angle_to_matrix(torch.tensor([3.0, 0.3, 0])), torch.tensor([0, 1.0, 4])
)


def prediction(frames=FRAMES):
    """Return the fields of a prediction, whose camera is ``T_W2C``."""
    offset = torch.tensor([0.01, -0.35, 0.02]).expand(frames, 3)
    orient_w, transl_w = torch.randn(frames, 3), torch.randn(frames, 3)
    orient_c, transl_c = transform_smpl(orient_w, transl_w, T_W2C, offset)
    keypoints = torch.randn(frames, 22, 3)
    keypoints[:, 0] = transl_c + offset
    return InstanceData(
        body_pose=torch.randn(frames, 63),
        betas=torch.randn(frames, 10),
        global_orient_c=orient_c,
        transl_c=transl_c,
        global_orient_w=orient_w,
        transl_w=transl_w,
        static_logits=torch.randn(frames, 6),
        keypoints=keypoints.numpy(),
    )


def person(number=0, first_frame=2, **fields):
    seen = np.arange(FRAMES) != 1
    return PersonMotion.from_prediction(
        prediction(), id=number, first_frame=first_frame, seen=seen,
        confidence=seen * 0.5, **fields,
    )  # fmt: skip


def result(*people, **fields):
    camera = CameraMotion(np.eye(3), np.tile(T_W2C.numpy(), (9, 1, 1)), static=True)
    return MotionResult(
        {one.id: one for one in people}, (80, 60), 9, camera, Path('a/walk.mp4'), **fields
    )


def test_a_short_text_of_it():
    assert repr(result(person(), person(3))) == (
        "MotionResult('walk', people 0, 3, 9 frames, 30 per second)"
    )


def test_frames_and_coverage():
    one = person()
    assert (one.first_frame, one.last_frame, len(one)) == (2, 7, FRAMES)
    assert one.coverage == pytest.approx(5 / 6)
    assert result(one).name == 'walk' and len(result(one)) == 9 and result(one).fps == 30


def test_camera_and_joints_of_a_prediction():
    pred = prediction()
    ones = np.ones(FRAMES)
    one = PersonMotion.from_prediction(pred, id=0, first_frame=0, seen=ones > 0, confidence=ones)
    np.testing.assert_allclose(one.T_w2c, np.tile(T_W2C.numpy(), (FRAMES, 1, 1)), atol=1e-5)
    pelvis = one.joints_w[:, 0] - one.transl_w
    np.testing.assert_allclose(pelvis, np.tile([0.01, -0.35, 0.02], (FRAMES, 1)), atol=1e-5)
    np.testing.assert_allclose(one.joints_c, pred.keypoints, atol=1e-5)
    np.testing.assert_allclose(one.contacts, pred.static_logits.sigmoid())


def test_motion_without_camera():
    one = person()
    one.global_orient_c = one.transl_c = None
    assert not one.in_camera
    with pytest.raises(DataError, match='person 0 in the camera is unknown'):
        _ = one.joints_c


def test_wrong_shape():
    with pytest.raises(ShapeError, match=r'`keypoints` of person 3 should have .*\(6, 17, 3\)'):
        person(3, keypoints=np.zeros((FRAMES, 17, 2)))


def test_people_at_a_frame():
    both = result(person(0, first_frame=0), person(4, first_frame=3))
    assert sorted(both.at(2)) == [0] and sorted(both.at(3)) == [0, 4] and sorted(both.at(8)) == [4]
    (there,) = both.only(4).at(5).values()
    assert len(there) == 1 and there.first_frame == there.last_frame == 5
    np.testing.assert_array_equal(there.joints_w[0], both.people[4].joints_w[2])
    with pytest.raises(ConfigError, match='`frame` should be 0 to 8, got 9'):
        both.at(9)
    with pytest.raises(ConfigError, match=r'people \[0, 4\], got \[7\]'):
        both.only(4, 7)


def test_files_of_people(tmp_path):
    assert [str(path) for path, _ in result(person(3)).person_paths('x.bvh')] == ['x.bvh']
    paths = [str(path) for path, _ in result(person(0), person(4)).person_paths('a/x.bvh')]
    assert paths == ['a/x_0.bvh', 'a/x_4.bvh']
    with pytest.raises(DataError, match='there is no person in the result of walk'):
        result().person_paths('x.bvh')


@pytest.fixture
def writer(monkeypatch):
    """Register a writer for `.toy` files, which are also those of pages and videos."""
    calls = []

    def write(path, result, **options):
        path.write_text(result.name)
        calls.append((path, options))
        return [path]

    for ending in ('toy', 'mp4', 'html'):
        monkeypatch.setitem(RESULT_WRITERS.module_dict, ending, write)
    return calls


def test_a_writer_is_found_by_the_ending(writer, tmp_path):
    one = result(person())
    assert one.save(tmp_path / 'new' / 'x.TOY', scale=2) == [tmp_path / 'new' / 'x.TOY']
    assert writer == [(tmp_path / 'new' / 'x.TOY', dict(scale=2))]
    assert one.render(tmp_path / 'x.mp4') == tmp_path / 'x.mp4'
    for path in ('x.docx', 'x'):
        with pytest.raises(ConfigError, match=rf'one of .*\.toy.*, got .*{path}'):
            one.save(tmp_path / path)
    with pytest.raises(ConfigError, match='should end in .mp4'):
        one.render(tmp_path / 'x.toy')


def test_the_video_itself_is_never_replaced(writer, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match='is the video of this result'):
        result(person()).render('a/walk.mp4')
    assert not writer


def test_show_opens_the_page(writer, monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(webbrowser, 'open', opened.append)
    pages = [result(person()).show(), result(person()).show(tmp_path / 'page.html')]
    assert opened == [page.resolve().as_uri() for page in pages]
    assert pages[0].name == 'walk.html' and pages[0].read_text() == 'walk'
