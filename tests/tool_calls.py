"""Tools called in this process, on packs with one thing wrong."""

import importlib.util
import os
import shutil
from pathlib import Path

import torch

REPO_ROOT = Path(__file__).resolve().parents[1]
TINY = REPO_ROOT / 'configs' / 'da_tiny_bedlam_emdb_3dpw.py'
SHRINK = [
    'model.estimator.backbone.latent_dim=32',
    'model.estimator.backbone.num_layers=1',
    'model.estimator.backbone.num_heads=2',
    'model.estimator.head.latent_dim=32',
]
SHORT = [
    *SHRINK,
    'train_cfg.max_epochs=2',
    'train_cfg.val_interval=2',
    'train_dataloader.batch_size=2',
    'train_dataloader.batch_sampler.batches_per_epoch=2',
    'log_level=ERROR',
]


def load_tool(name):
    spec = importlib.util.spec_from_file_location(
        f'tool_{name}', REPO_ROOT / 'tools' / f'{name}.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Packs:
    """A data root of links; what is changed becomes a file of its own."""

    def __init__(self, source, root):
        self.root = root
        shutil.copytree(source, root, copy_function=os.symlink)

    def change(self, name, function):
        """Apply ``function`` to every record of a pack, or to its content if it returns one."""
        path = self.root / name
        content = torch.load(path, weights_only=True)
        for key, record in list(content.items()):
            changed = function(key, record)
            if changed is not None:
                content[key] = changed
        path.unlink()
        torch.save(content, path)

    def keep(self, name, wanted):
        """Keep only the sequences for which ``wanted`` is true."""
        path = self.root / name
        content = torch.load(path, weights_only=True)
        path.unlink()
        torch.save({key: value for key, value in content.items() if wanted(key)}, path)

    def remove(self, name):
        path = self.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
