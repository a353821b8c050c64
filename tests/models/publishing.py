"""Small models that are published as real ones are."""

import json

import torch
from mmengine.config import Config

from gvhmr_da_mm.apis.publish_model import publish_model
from gvhmr_da_mm.registry import MODELS

FACTS = dict(
    description='A toy.',
    license='Apache-2.0',
    data=[dict(name='Nowhere', subjects=['01'], terms='Free.', notice='None.')],
    limits=['It knows nothing.'],
)
TRAINING = dict(
    randomness=dict(seed=7),
    train_dataloader=dict(
        batch_size=4,
        dataset=dict(
            datasets=dict(amass=dict(data_root='/somewhere', motions='/a/b', exclude=['*/35/*']))
        ),
    ),
)


def save_checkpoint(path, model, seed=0, **changes):
    """Train nothing, and save the model of a config as a training does."""
    torch.manual_seed(seed)
    weights = MODELS.build(Config(dict(model=model)).model).state_dict()
    meta = dict(cfg=Config(dict(TRAINING, model=model)).pretty_text, epoch=2, iter=30)
    torch.save(dict(state_dict={**weights, **changes}, meta=meta), path)
    return path


def write_facts(path, **changes):
    path.write_text(json.dumps({**FACTS, **changes}))
    return path


def publish(folder, checkpoint, name='toy-model', **options):
    """Publish a checkpoint with the facts of a toy, and return the weights file."""
    facts = write_facts(folder.with_name('facts.json'))
    return publish_model(checkpoint, name, facts, folder, **options)
