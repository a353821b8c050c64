import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.registry import DefaultScope

from gvhmr_da_mm.core.errors import MissingFilesError
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.visualization import MotionLocalVisualizer
from tests.testing import (
    isolated_registry,
    last_checkpoint,
    read_log,
    toy_batch,
    toy_inputs,
    toy_samples,
)


def test_a_seed_decides_everything():
    one, same, other = toy_inputs(seed=1), toy_inputs(seed=1), toy_inputs(seed=2)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one['kp2d'], other['kp2d'])
    state = torch.get_rng_state()
    toy_batch('synthetic')
    assert torch.equal(torch.get_rng_state(), state)


def test_lengths_mark_valid_frames():
    inputs = toy_inputs(2, 6, lengths=[6, 2])
    assert inputs['valid'].sum(dim=1).tolist() == [6, 2]
    assert [sample.length for sample in toy_samples(inputs)] == [6, 2]


@pytest.mark.parametrize('domain, labelled', [('synthetic', True), ('real', False)])
def test_only_synthetic_clips_have_labels(domain, labelled):
    batch = toy_batch(domain, 2)
    assert all(('gt_instances' in sample) is labelled for sample in batch['data_samples'])
    assert {sample.domain for sample in batch['data_samples']} == {domain}


def test_labels_are_one_scene():
    """The camera, the world and the gravity view tell the same orientation."""
    inputs = toy_inputs(1, 8, dtype=torch.float64)
    labels = toy_samples(inputs)[0].gt_instances
    R_c, R_w = (axis_angle_to_matrix(labels[f'global_orient_{frame}']) for frame in 'cw')
    down_c = R_c @ R_w.mT @ torch.tensor([0.0, -1, 0], dtype=torch.float64)[:, None]
    down_gv = (labels.R_c2gv @ down_c)[..., 0]
    torch.testing.assert_close(down_gv[:, 1], torch.ones(8, dtype=torch.float64))


def test_global_state_of_runs_is_undone():
    before = set(DefaultScope._instance_dict), set(MessageHub._instance_dict)
    with isolated_registry():
        DefaultScope.get_instance('a_run', scope_name='gvhmr_da_mm')
        MessageHub.get_instance('a_run')
        assert 'a_run' in MessageHub._instance_dict
    assert (set(DefaultScope._instance_dict), set(MessageHub._instance_dict)) == before


def test_runs_of_one_name_have_visualizers_of_their_own(tmp_path):
    # MMEngine names a run by the second it starts in, so two short ones may share a name.
    drawn = []
    for folder in ('first', 'second'):
        with isolated_registry():
            visualizer = MotionLocalVisualizer.get_instance(
                'a_run', vis_backends=[dict(type='LocalVisBackend')], save_dir=tmp_path / folder
            )
            visualizer.add_scalar('loss', 1.0, step=0)
            drawn.append(visualizer)
    assert drawn[0] is not drawn[1]
    assert len(list(tmp_path.glob('*/vis_data/scalars.json'))) == 2
    assert 'a_run' not in MotionLocalVisualizer._instance_dict


@pytest.mark.parametrize('read', [read_log, last_checkpoint])
def test_a_folder_without_a_run_is_named(read, tmp_path):
    with pytest.raises(MissingFilesError, match=str(tmp_path)):
        read(tmp_path)
