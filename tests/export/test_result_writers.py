import json

import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, DataError
from gvhmr_da_mm.structures import CameraMotion, MotionResult, PersonMotion

from .conftest import FRAMES

K = np.array([[100.0, 0, 40], [0, 100, 30], [0, 0, 1]])


@pytest.fixture
def people(dump):
    instances, ones = dump.sample.pred_instances, np.ones(FRAMES)
    return [
        PersonMotion.from_prediction(instances, id=i, first_frame=i, seen=ones > 0, confidence=ones)
        for i in (0, 5)
    ]


def result_of(people, data_root, **fields):
    camera = CameraMotion(K, np.tile(people[0].T_w2c[:1], (20, 1, 1)), static=True)
    people = {person.id: person for person in people}
    return MotionResult(people, (80, 60), 20, camera, data_root=data_root, **fields)


@pytest.mark.parametrize('ending', ['npz', 'bvh', 'glb', 'pt'])
def test_a_file_for_each_person(people, toy_root, tmp_path, ending):
    both = result_of(people, toy_root)
    files = both.save(tmp_path / f'motion.{ending}')
    assert [file.name for file in files] == [f'motion_0.{ending}', f'motion_5.{ending}']
    (alone,) = both.only(0).save(tmp_path / 'alone' / f'x.{ending}')
    assert alone.read_bytes() == files[0].read_bytes()


def test_motion_of_the_file(people, dump, toy_root, tmp_path):
    one = result_of(people[:1], toy_root, fps=25)
    for space, suffix in dict(world='w', camera='c').items():
        (file,) = one.save(tmp_path / f'{space}.npz', space=space, up='+y')
        written = np.load(file)
        expected = dump.sample.pred_instances
        np.testing.assert_array_equal(written['trans'], expected[f'transl_{suffix}'])
        np.testing.assert_array_equal(written['root_orient'], expected[f'global_orient_{suffix}'])
        assert written['mocap_frame_rate'] == 25
    (file,) = one.save(tmp_path / 'a.bvh')
    assert 'Frame Time: 0.04000000' in file.read_text()
    (file,) = one.save(tmp_path / 'a.pt')
    assert torch.load(file, weights_only=True)['gvhmr_da_mm']['fps'] == 25


@pytest.mark.parametrize('scale', [0, -1, np.nan, np.inf, '1'])
def test_the_scale_of_a_skeleton(people, toy_root, tmp_path, scale):
    with pytest.raises(ConfigError, match='`scale` should be positive'):
        result_of(people[:1], toy_root).save(tmp_path / 'a.bvh', scale=scale)


def test_what_needs_no_camera(people, toy_root, tmp_path):
    people[0].global_orient_c = people[0].transl_c = None
    alone = MotionResult({0: people[0]}, (80, 60), 20, data_root=toy_root)
    for ending in ('npz', 'bvh', 'glb', 'json'):
        assert alone.save(tmp_path / f'a.{ending}')[0].stat().st_size > 500
    with pytest.raises(DataError, match='needs the camera'):
        alone.save(tmp_path / 'a.pt')


def test_summary(people, toy_root, tmp_path):
    people[1].seen[2:] = False
    result = result_of(people, toy_root, facts=dict(model='name'))
    (path,) = result.save(tmp_path / 'new' / 'a.json')
    content = json.loads(path.read_text())
    assert content['facts'] == dict(model='name') and content['fps'] == 30
    assert content['frames'] == 20 and content['size'] == [80, 60]
    assert content['axes']['world'] == 'y up' and content['units']['length'] == 'm'
    assert content['camera']['K'] == K.tolist() and len(content['camera']['centres']) == 20
    first, second = content['people']['0'], content['people']['5']
    assert first['coverage'] == 1 and second['coverage'] == pytest.approx(2 / FRAMES, abs=1e-4)
    assert (second['first_frame'], second['last_frame']) == (5, 5 + FRAMES - 1)
    np.testing.assert_allclose(first['root'], people[0].joints_w[:, 0], atol=1e-4)
    assert 'joints' not in first
    (path,) = result.save(tmp_path / 'b.json', joints=True)
    joints = json.loads(path.read_text())['people']['0']['joints']
    np.testing.assert_allclose(joints, people[0].joints_w, atol=1e-4)
