from .amass import AMASSDataset
from .bedlam import BEDLAMDataset
from .clip import Clip, pack_clip
from .collate import collate_clips
from .emdb import EMDBDataset
from .h36m import H36MDataset
from .mocap import PoseVariation, VirtualCamera
from .motion_dataset import MotionDataset
from .multi_source import MultiSourceDataset
from .pack_dataset import PackDataset
from .real_video_dataset import RealVideoDataset
from .rich import RICHDataset
from .samplers import AlternatingMultiSourceSampler, ClipKey
from .source_range import SourceRange
from .threedpw import ThreeDPWDataset

__all__ = [
    'AMASSDataset',
    'AlternatingMultiSourceSampler',
    'BEDLAMDataset',
    'Clip',
    'ClipKey',
    'EMDBDataset',
    'H36MDataset',
    'MotionDataset',
    'MultiSourceDataset',
    'PackDataset',
    'PoseVariation',
    'RICHDataset',
    'RealVideoDataset',
    'SourceRange',
    'ThreeDPWDataset',
    'VirtualCamera',
    'collate_clips',
    'pack_clip',
]
