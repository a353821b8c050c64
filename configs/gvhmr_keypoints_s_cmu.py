"""`gvhmr_keypoints_s.py` on CMU and UI-PRMD, whose terms allow to publish the weights.

`DATA_ROOT/AMASS/{CMU,CMU_short,UIPRMD}/SUBJECT` hold the recordings.
"""

from mmengine.config import read_base

with read_base():
    from .gvhmr_keypoints_s import *

# Held out: a walker, a dancer, everyday motion, jumps and exercises to report numbers on, and a few
# recordings to choose by.
test_subjects = ['35', '60', 'xsig2', '49', 's08', 'xw50', 'xw51', 'xw52']
val_subjects = ['xsig3', '90', '139', 's01', 'xw48', 'xw49']
# People walk more often in videos than in these recordings.
walkers = ['07', '08', '09', '10', '16', '127', 'xw22', 'xw23', 'xw24', 'xw25']
_sources = train_dataloader.dataset.datasets
_walks = dict(_sources.amass, dataset='walks', include=[f'*/{name}/*' for name in walkers])
_sources.amass.update(exclude=[f'*/{name}/*' for name in test_subjects + val_subjects])
train_dataloader.dataset.update(
    datasets=dict(amass=_sources.amass, walks=_walks), weights=dict(amass=0.8, walks=0.2)
)
