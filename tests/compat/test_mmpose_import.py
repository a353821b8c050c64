import importlib
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from gvhmr_da_mm.compat import import_mmpose, mmpose_stand_ins
from gvhmr_da_mm.compat.mmpose_import import _NEEDED, _canvas_rgb

REPO_ROOT = Path(__file__).resolve().parents[2]
STOOD_IN = [name for _, provided in _NEEDED.values() for name in provided]


def is_stand_in(name: str) -> bool:
    return 'Stand-in' in (getattr(sys.modules.get(name), '__doc__', None) or '')


def really_works(name: str) -> bool:
    attributes, _ = _NEEDED[name]
    try:
        return all(hasattr(importlib.import_module(name), attribute) for attribute in attributes)
    except Exception:
        return False


@pytest.fixture
def hidden(monkeypatch):
    """Make the real packages unimportable, whatever is installed."""
    for name in list(sys.modules):
        if any(name == top or name.startswith(f'{top}.') for top in STOOD_IN):
            monkeypatch.delitem(sys.modules, name)

    class Blocker:
        def find_spec(self, name, path=None, target=None):
            if name in STOOD_IN:
                raise ImportError(f'{name} is hidden')

    monkeypatch.setattr(sys, 'meta_path', [Blocker(), *sys.meta_path])


def test_rtmpose_tiny_runs():
    import_mmpose('models')
    from mmpose.registry import MODELS

    model = MODELS.build(
        dict(
            _scope_='mmpose',
            type='TopdownPoseEstimator',
            data_preprocessor=dict(type='PoseDataPreprocessor'),
            backbone=dict(
                type='CSPNeXt',
                arch='P5',
                expand_ratio=0.5,
                deepen_factor=0.167,
                widen_factor=0.375,
                out_indices=(4,),
                channel_attention=True,
                norm_cfg=dict(type='BN'),
                act_cfg=dict(type='SiLU'),
            ),
            head=dict(
                type='RTMCCHead',
                in_channels=384,
                out_channels=17,
                input_size=(192, 256),
                in_featuremap_size=(6, 8),
                simcc_split_ratio=2.0,
                final_layer_kernel_size=7,
                gau_cfg=dict(
                    hidden_dims=256,
                    s=128,
                    expansion_factor=2,
                    dropout_rate=0.0,
                    drop_path=0.0,
                    act_fn='SiLU',
                    use_rel_bias=False,
                    pos_enc=False,
                ),
                loss=dict(type='KLDiscretLoss', use_target_weight=True),
                decoder=dict(type='SimCCLabel', input_size=(192, 256), simcc_split_ratio=2.0),
            ),
        )
    ).eval()
    with torch.no_grad():
        simcc_x, simcc_y = model(torch.rand(1, 3, 256, 192), None, mode='tensor')
    assert simcc_x.shape == (1, 17, 384)
    assert simcc_y.shape == (1, 17, 512)
    assert torch.isfinite(simcc_x).all() and torch.isfinite(simcc_y).all()


def test_pose3d_visualizer_draws():
    visualizer_class = import_mmpose('visualization').Pose3dLocalVisualizer
    from mmengine.structures import InstanceData
    from mmpose.structures import PoseDataSample

    colour = np.array([[255, 0, 0]] * 17)
    visualizer = visualizer_class(
        skeleton=[(0, 1), (1, 2)], kpt_color=colour, link_color=colour[:2]
    )
    generator = np.random.default_rng(0)
    sample = PoseDataSample(
        pred_instances=InstanceData(
            keypoints=generator.uniform(-0.5, 0.5, (1, 17, 3)), keypoint_scores=np.ones((1, 17))
        )
    )
    image = np.zeros((96, 96, 3), np.uint8)
    drawn = visualizer._draw_3d_data_samples(image, sample, draw_gt=False)
    assert drawn.ndim == 3 and drawn.shape[-1] == 3
    assert drawn.std() > 0


def test_canvas_gives_its_picture_whatever_matplotlib():
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    canvas = FigureCanvasAgg(Figure(figsize=(0.3, 0.2), dpi=100))
    canvas.figure.text(0, 0, 'x', color=(0.2, 0.6, 1.0))
    canvas.draw()
    picture = np.frombuffer(_canvas_rgb(canvas), np.uint8).reshape(20, 30, 3)
    np.testing.assert_array_equal(picture, np.asarray(canvas.buffer_rgba())[..., :3])
    assert picture.std() > 0
    import_mmpose('visualization')
    assert canvas.tostring_rgb() == picture.tobytes()


def test_no_stand_in_is_left():
    import_mmpose('models')
    import_mmpose('visualization')
    assert not [name for name in sys.modules if name in STOOD_IN and is_stand_in(name)]


def test_subpackage_that_does_not_exist():
    with pytest.raises(ImportError, match='no_such_thing'):
        import_mmpose('no_such_thing')
    assert not [name for name in STOOD_IN if is_stand_in(name)]


def test_stand_ins_where_nothing_is_installed(hidden):
    with mmpose_stand_ins() as replaced:
        assert replaced == list(_NEEDED)
        from mmcv.ops import MultiScaleDeformableAttention
        from mmdet.utils import ConfigType, reduce_mean
        from torchvision.transforms import ToPILImage

        assert ConfigType is not None
        tensor = torch.tensor([1.0, 2.0])
        torch.testing.assert_close(reduce_mean(tensor), tensor)
        assert ToPILImage()(torch.rand(1, 4, 6)).size == (6, 4)
        with pytest.raises(RuntimeError, match='full MMPose environment'):
            MultiScaleDeformableAttention(embed_dims=256)
    assert not [name for name in STOOD_IN if name in sys.modules]


def test_guarded_imports_still_fail(hidden):
    with mmpose_stand_ins():
        for name in STOOD_IN:
            assert sys.modules[name].__spec__.name == name
            assert not hasattr(sys.modules[name], '__path__')
        with pytest.raises(ImportError):
            from mmcv.ops import DeformConv2d  # noqa: F401
        with pytest.raises(ImportError):
            import mmdet.apis  # noqa: F401
        with pytest.raises(ImportError):
            from torchvision import models  # noqa: F401


def test_real_packages_are_used(monkeypatch):
    real = {}
    for name, (attributes, provided) in _NEEDED.items():
        for module_name in provided:
            real[module_name] = ModuleType(module_name)
        for attribute in attributes:
            setattr(real[name], attribute, object())
    for module_name, module in real.items():
        monkeypatch.setitem(sys.modules, module_name, module)
    with mmpose_stand_ins() as replaced:
        assert replaced == []
        assert all(sys.modules[name] is module for name, module in real.items())
    assert all(sys.modules[name] is module for name, module in real.items())


def test_only_what_is_missing_is_replaced():
    missing = [name for name in _NEEDED if not really_works(name)]
    with mmpose_stand_ins() as replaced:
        assert replaced == missing


def test_broken_package_is_replaced_and_its_leftovers_dropped(hidden, monkeypatch, tmp_path):
    # As a torchvision built for another torch: a submodule is imported, then it raises.
    package = tmp_path / 'torchvision'
    package.mkdir()
    (package / '__init__.py').write_text(
        'from . import extension\nraise RuntimeError("operator torchvision::nms does not exist")\n'
    )
    (package / 'extension.py').write_text('')
    monkeypatch.setattr(sys, 'meta_path', sys.meta_path[1:])
    monkeypatch.syspath_prepend(str(tmp_path))
    with mmpose_stand_ins() as replaced:
        assert 'torchvision.transforms' in replaced
        assert 'torchvision.extension' not in sys.modules
        from torchvision.transforms import ToPILImage

        assert ToPILImage.__module__ == 'gvhmr_da_mm.compat.stand_ins'
    assert 'torchvision' not in sys.modules


def test_works_after_a_failed_import():
    code = """
        import sys
        try:
            import mmpose.visualization
        except Exception as error:
            print('failed first:', type(error).__name__)
        from gvhmr_da_mm.compat import import_mmpose
        print(import_mmpose('visualization').Pose3dLocalVisualizer.__name__)
    """
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', textwrap.dedent(code)],
        cwd=REPO_ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == 'Pose3dLocalVisualizer'
