import numpy as np
import pytest

from gvhmr_da_mm.structures import MotionResult, PersonMotion

from .conftest import FRAMES


@pytest.fixture
def people(dump):
    fields = dict(seen=np.ones(FRAMES, bool), confidence=np.ones(FRAMES))
    instances = dump.sample.pred_instances
    return [PersonMotion.from_prediction(instances, id=i, first_frame=i, **fields) for i in (0, 5)]


@pytest.mark.parametrize('ending', ['npz', 'bvh', 'glb'])
def test_a_file_for_each_person(people, toy_root, tmp_path, ending):
    both = MotionResult({p.id: p for p in people}, (80, 60), 20, data_root=toy_root)
    files = both.save(tmp_path / f'motion.{ending}')
    assert [file.name for file in files] == [f'motion_0.{ending}', f'motion_5.{ending}']
    (alone,) = both.only(0).save(tmp_path / 'alone' / f'x.{ending}')
    assert alone.read_bytes() == files[0].read_bytes() == files[1].read_bytes()


def test_motion_of_the_file(people, dump, toy_root, tmp_path):
    one = MotionResult({0: people[0]}, (80, 60), 20, data_root=toy_root)
    for space, suffix in dict(world='w', camera='c').items():
        (file,) = one.save(tmp_path / f'{space}.npz', space=space)
        written = np.load(file)
        expected = dump.sample.pred_instances
        np.testing.assert_array_equal(written['trans'], expected[f'transl_{suffix}'])
        np.testing.assert_array_equal(written['root_orient'], expected[f'global_orient_{suffix}'])
