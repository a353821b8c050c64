"""The code of `extending.md`, run as it stands."""

import shutil
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator

from gvhmr_da_mm.apis import load_config
from gvhmr_da_mm.core.camera import camera_angular_velocity, estimate_intrinsics
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.datasets.sources import PUBLISHED_SOURCES
from gvhmr_da_mm.datasets.sources.write_pack import write_pack
from gvhmr_da_mm.datasets.validation import ERROR, find_folders, validate_folder
from gvhmr_da_mm.engine import AdaptationOptimWrapperConstructor
from gvhmr_da_mm.registry import DATASETS, METRICS, MODELS, TRANSFORMS
from tests.datasets.samples import assert_same_item
from tests.testing import toy_adaptation_config, toy_batch, toy_inputs, toy_model_config

from .markdown import CHINESE, ENGLISH, REPO_ROOT, blocks, code_words

MAIN = 'configs/da_bedlam_emdb_3dpw.py'
MAX_LINES = 30
WRAPPERS = AdaptationOptimWrapperConstructor(
    dict(
        model=dict(optimizer=dict(type='AdamW', lr=1e-3)),
        discriminator=dict(optimizer=dict(type='Adam', lr=1e-3)),
    )
)


@pytest.fixture(scope='module')
def snippets():
    """Run all blocks but the config once, and undo what they registered."""
    scopes = {}
    for code in blocks(ENGLISH / 'extending.md')[1:]:
        scope = {'__name__': 'my_project'}
        exec(compile(code, 'extending.md', 'exec'), scope)
        scopes.update(scope)
    yield scopes
    # Only these: look-ups have registered the package's own parts in the meantime.
    for registry in (DATASETS, MODELS, TRANSFORMS, METRICS):
        for name in set(registry.module_dict) & set(scopes):
            if registry.module_dict[name].__module__ == 'my_project':
                del registry.module_dict[name]


@pytest.fixture(scope='module')
def video_root(tmp_path_factory, toy_root):
    """Return a data root with videos in the format of the example."""
    root = tmp_path_factory.mktemp('videos')
    shutil.copytree(toy_root, root, dirs_exist_ok=True)
    (root / 'my_videos').mkdir()
    for index, frames in enumerate((70, 130)):
        turn = torch.zeros(frames, 3)
        turn[:, 1] = torch.linspace(0, 0.3, frames)
        record = dict(
            kp2d=torch.rand(frames, 17, 3),
            bbx_xys=torch.rand(frames, 3) + 100,
            f_imgseq=torch.rand(frames, 1024).half(),
            R_w2c=axis_angle_to_matrix(turn),
            img_wh=torch.tensor([640, 480]),
        )
        torch.save(record, root / 'my_videos' / f'clip_{index}.pt')
    return root


def test_every_example_is_short():
    for code in blocks(ENGLISH / 'extending.md'):
        assert len(code.splitlines()) <= MAX_LINES, code


def test_dataset(snippets, video_root):
    dataset = DATASETS.build(dict(type='MyVideoDataset', data_root=str(video_root)))
    assert len(dataset) == 2
    item = dataset[1]
    assert item['inputs']['kp2d'].shape == (120, 17, 3)
    assert item['inputs']['f_imgseq'].dtype == torch.float32
    assert 'gt_instances' not in item['data_samples']
    assert item['data_samples'].domain == 'real'
    expected = estimate_intrinsics(640, 480).expand(120, 3, 3)
    torch.testing.assert_close(item['inputs']['K_fullimg'], expected)


def test_source(snippets, tmp_path):
    frames, stage = 80, tmp_path / 'Stage'
    (stage / 'features').mkdir(parents=True)
    boxes = torch.rand(frames, 3) + torch.tensor([320.0, 240, 100])
    shapes = dict(body_pose=69, betas=10, global_orient=3, transl=3)
    record = dict(
        T_w2c=torch.eye(4).repeat(frames, 1, 1),
        gender='female',
        img_wh=torch.tensor([640, 480]),
        mask=torch.ones(frames, dtype=torch.bool),
        smpl_params={key: torch.rand(frames, size) for key, size in shapes.items()},
        box=boxes,
        intrinsics=estimate_intrinsics(640, 480),
    )
    record['smpl_params']['transl'][:] = torch.tensor([0.0, 0, 5])
    torch.save({'a': record}, stage / 'train.pt')
    torch.save({'b': record}, stage / 'test.pt')
    for name in 'ab':
        torch.save(dict(features=torch.rand(frames, 1024)), stage / f'features/{name}.pt')
    try:
        options = dict(type='StageDataset', data_root=str(tmp_path), dataset='stage')
        options['with_joints'] = False
        item = DATASETS.build(dict(options, split='train'))[0]
        assert not item['inputs']['has_kp2d'] and 'gt_instances' not in item['data_samples']
        test = DATASETS.build(dict(options, split='test'))
        assert test[0]['data_samples'].gt_instances.body_pose.shape == (frames, 69)
        source = snippets['StageSource'].below(tmp_path)
        assert write_pack(source, tmp_path / 'pack').written == 2
        packed = DATASETS.build(dict(options, split='test', pack=str(tmp_path / 'pack')))
        assert_same_item(test[0], packed[0])
        (folder,) = find_folders(tmp_path, 'stage')
        (_, reports) = validate_folder(folder)
        assert not [f for report in reports for f in report.findings if f.severity == ERROR]
    finally:
        del PUBLISHED_SOURCES['stage']


@pytest.fixture
def own_config(snippets, tmp_path, monkeypatch):
    """Return a function that loads a config beside ours, which can import the page's classes."""
    module = ModuleType('my_project')
    vars(module).update((n, v) for n, v in snippets.items() if isinstance(v, type))
    module.__spec__ = ModuleSpec('my_project', None, origin=str(tmp_path / 'my_project.py'))
    monkeypatch.setitem(sys.modules, 'my_project', module)

    def _load(code, **options):
        shutil.copytree(REPO_ROOT / 'configs', tmp_path / 'configs', dirs_exist_ok=True)
        path = tmp_path / 'configs' / 'my_config.py'
        path.write_text(code)
        return load_config(path, **options)

    return _load


INHERIT = """
from mmengine.config import read_base

from my_project import RootDepthError, StepDiscriminator, UpsideDown

with read_base():
    from .da_bedlam_emdb_3dpw import *

"""
LINES = {
    'model.critic.discriminator = ': lambda c: c.model.critic.discriminator.type,
    'model.update(': lambda c: c.model.pseudo_labeler.views[0].type,
    'test_evaluator.append(': lambda c: c.test_evaluator[-1].type,
    'custom_imports = ': lambda c: c.custom_imports['imports'],
}
"""Lines of a config in the text, by their beginnings, and what they set."""


@pytest.mark.parametrize('page', [ENGLISH / 'extending.md', CHINESE / 'extending.md'])
def test_lines_of_a_config_in_the_text(snippets, own_config, page):
    expected = [snippets['StepDiscriminator'], snippets['UpsideDown'], snippets['RootDepthError']]
    words = code_words(page.read_text(encoding='utf-8'))
    for (beginning, value), result in zip(LINES.items(), [*expected, ['my_project']]):
        (line,) = [word for word in words if word.startswith(beginning)]
        assert value(own_config(INHERIT + line + '\n')) == result
    (inherited,) = [word for word in words if word.startswith('from gvhmr_da_mm.configs')]
    code = INHERIT.replace('from .da_bedlam_emdb_3dpw import *', inherited)
    assert own_config(code).model == load_config(REPO_ROOT / MAIN).model


def test_config_with_an_own_dataset(own_config, video_root):
    config = own_config(blocks(ENGLISH / 'extending.md')[0], data_root=video_root)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    names = [source.name for source in dataset.sources['real']]
    assert names == ['emdb_train', '3dpw_train', 'my_videos']


def train_both_domains(model):
    wrapper = WRAPPERS(model)
    model.train_step(toy_batch('synthetic', 2), wrapper)
    return model.train_step(toy_batch('real', 2), wrapper)


def test_discriminator(snippets, toy_root):
    config = toy_adaptation_config(
        toy_root, critic=dict(discriminator=dict(type='StepDiscriminator'))
    )
    model = MODELS.build(config)
    logs = train_both_domains(model)
    assert 0 < logs['discriminator_real_loss'] < 1 and logs['selection_rate'] == 1

    pose, valid = torch.randn(2, 9, 69), torch.arange(9) < torch.tensor([[9], [6]])
    scores = model.critic.discriminator.score(pose, valid)
    padded = torch.cat((pose, torch.full((2, 4, 69), torch.nan)), dim=1)
    more = torch.cat((valid, torch.zeros(2, 4, dtype=torch.bool)), dim=1)
    torch.testing.assert_close(model.critic.discriminator.score(padded, more), scores)


def test_augmentation_has_an_exact_inverse(snippets, toy_root):
    model = MODELS.build(toy_model_config(toy_root)).double()
    view, inputs = TRANSFORMS.build(dict(type='UpsideDown')), toy_inputs(dtype=torch.float64)
    prediction = model.infer(inputs)
    turned, state = view.apply(inputs)

    # What a perfect predictor says of the turned video: the same body, a half turn about z.
    offset = model.body_model.skeleton(prediction.betas)[..., 0, :]
    half_turn = torch.diag(prediction.R_c.new_tensor([-1, -1, 1]))
    perfect = prediction.replace(
        R_c=half_turn @ prediction.R_c,
        transl_c=(prediction.transl_c + offset) @ half_turn - offset,
    )
    perfect = perfect.for_box(turned['bbx_xys'], turned['K_fullimg'])
    restored = view.invert(perfect, state, inputs, offset)
    for field in ('R_c', 'transl_c', 'pred_cam', 'R_gv', 'velocity'):
        torch.testing.assert_close(getattr(restored, field), getattr(prediction, field))

    # Its joints fall on the turned pixels of the original ones.
    def pixels(motion, cameras):
        joints = model.skin(motion).coco17
        projected = joints @ cameras['K_fullimg'].mT
        return projected[..., :2] / projected[..., 2:]

    expected = inputs['img_wh'][:, None, None] - pixels(prediction, inputs)
    torch.testing.assert_close(pixels(perfect, turned), expected)
    # The camera's rotation is the one of the turned camera.
    R_w2c = axis_angle_to_matrix(torch.randn(2, 16, 3, dtype=torch.float64))
    turning = dict(inputs, cam_angvel=camera_angular_velocity(R_w2c))
    expected = camera_angular_velocity(half_turn @ R_w2c)
    torch.testing.assert_close(view.apply(turning)[0]['cam_angvel'], expected)


def test_augmentation_trains(snippets, toy_root):
    config = toy_adaptation_config(toy_root, pseudo_labeler=dict(views=[dict(type='UpsideDown')]))
    assert train_both_domains(MODELS.build(config))['real_loss'] > 0


def test_metric(snippets, toy_root):
    dataset = DATASETS.build(dict(type='EMDBDataset', data_root=str(toy_root), split='emdb1'))
    sample = dataset[0]['data_samples']
    keypoints = sample.gt_instances.lifting_target.copy()
    keypoints[..., 2] += 0.1
    sample.set_field(type(sample.gt_instances)(keypoints=keypoints), 'pred_instances')
    other = sample.clone()
    other.set_metainfo(dict(dataset='3dpw'))
    evaluator = Evaluator([METRICS.build(dict(type='RootDepthError', dataset='emdb1'))])
    evaluator.process([sample, other])
    assert evaluator.metrics[0].results[0].shape == (int(sample.gt_instances.mask.sum()),)
    results = evaluator.evaluate(1)
    assert results == {'root/depth': pytest.approx(100, rel=1e-4)}
    assert np.isfinite(results['root/depth'])
