"""A published model is evaluated, trained on and tested by its name."""

import json

import pytest

from gvhmr_da_mm.models import model_zoo
from tests.datasets.mocap.recordings import write
from tests.models.publishing import save_checkpoint, write_facts
from tests.testing import toy_model_config
from tests.tool_calls import REPO_ROOT, SHORT

PUBLISH = 'model_converters/publish_model'


# The model that lifts keypoints is no longer there, where another folder has the shipped ones.
WITHOUT_LIFTER = 'model.pseudo_labeler.lifter=None'


@pytest.fixture
def shipped(call, toy_root, tmp_path, monkeypatch):
    """Publish a model by the tool into the folder of shipped ones, and return its name."""
    monkeypatch.setattr(model_zoo, 'FOLDER', tmp_path / 'weights')
    checkpoint = save_checkpoint(tmp_path / 'a.pth', toy_model_config(toy_root, num_layers=1))
    facts = write_facts(tmp_path / 'facts.json')
    code, printed, err = call(
        PUBLISH, checkpoint, 'toy-model', '--card-facts', facts, '--out', tmp_path / 'weights'
    )
    assert code == 0, err
    assert 'toy-model.safetensors' in printed and '| `toy-model` | 0.1 | 0.2 | –' in printed
    return 'toy-model'


def test_evaluate_by_name(call, toy_root, tmp_path, shipped):
    write(tmp_path / 'mocap' / '01' / 'a_stageii.npz')
    code, printed, err = call(
        'analysis_tools/evaluate_keypoint_model', '--model', shipped, '--mocap', tmp_path / 'mocap',
        '--clips', 1, '--out', tmp_path / 'out', '--data-root', toy_root,
    )  # fmt: skip
    assert code == 0, err
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert summary['model'] == shipped and summary['mocap']['network']['pa_mpjpe'] > 0


def test_train_from_a_name_then_test_it(call, toy_root, tmp_path, shipped):
    options = [
        *SHORT,
        WITHOUT_LIFTER,
        f'load_from={shipped}',
        'val_dataloader.num_batch_per_epoch=1',
    ]
    code, printed, err = call(
        'train', REPO_ROOT / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py', '--data-root', toy_root,
        '--work-dir', tmp_path / 'work', '--no-validate', '--cfg-options', *options,
    )  # fmt: skip
    assert code == 0, err
    code, printed, err = call(
        'test', REPO_ROOT / 'configs' / 'gvhmr_bedlam.py', shipped, '--data-root', toy_root,
        '--work-dir', tmp_path / 'test', '--cfg-options', 'test_dataloader.num_batch_per_epoch=1',
    )  # fmt: skip
    assert code == 0, err
    assert 'PA-MPJPE' in printed


def test_there_is_nothing_to_resume(call, toy_root, tmp_path, shipped):
    code, _, err = call(
        'train', REPO_ROOT / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py', '--data-root', toy_root,
        '--work-dir', tmp_path / 'work', '--no-validate', '--resume', shipped,
        '--cfg-options', *SHORT, WITHOUT_LIFTER,
    )  # fmt: skip
    assert code == 2
    assert 'toy-model holds the weights of a model, and no training' in err


@pytest.mark.parametrize('tool', ['test', 'analysis_tools/evaluate_keypoint_model'])
def test_a_misspelt_name(call, toy_root, tmp_path, shipped, tool):
    arguments = {
        'test': [REPO_ROOT / 'configs' / 'gvhmr_bedlam.py', 'toy-modle'],
        'analysis_tools/evaluate_keypoint_model': [
            '--model', 'toy-modle', '--mocap', tmp_path, '--out', tmp_path / 'out'
        ],
    }  # fmt: skip
    code, _, err = call(tool, *arguments[tool], '--data-root', toy_root)
    assert code == 2
    assert "did you mean 'toy-model'?" in err
