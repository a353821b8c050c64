"""Published training recipe: GVHMR on AMASS, BEDLAM, H36M and 3DPW with labels.

Source: GVHMR, Sec. 4.1.
"""

from mmengine.config import read_base

from gvhmr_da_mm.engine import MotionStatisticsHook

with read_base():
    from ._base_.datasets.mixed import *
    from ._base_.datasets.test_emdb_3dpw import *
    from ._base_.default_runtime import *
    from ._base_.models.gvhmr import *
    from ._base_.schedules.gvhmr_500e import *

default_hooks.update(motion_statistics=dict(type=MotionStatisticsHook))
