"""Export a predicted sequence in the format of the file name's ending.

.html: interactive page. .mp4: video. .png: picture. .bvh: skeleton for animation programs.
.glb: skinned mesh and camera. .npz: SMPL-X or SMPL parameters as AMASS stores them (z up).
.pt: parameters as GVHMR publishes its results.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from gvhmr_da_mm.cli.command_line import report_errors
from gvhmr_da_mm.core.errors import ConfigError, DataError

if TYPE_CHECKING:
    from gvhmr_da_mm.structures import MotionDump
    from gvhmr_da_mm.video.resampled_video import ResampledVideo

DEFAULTS = dict(
    video=None, skeleton=False, height=360, space='world', unit='cm', up='+z', body='smplx'
)
UNITS = dict(cm=100.0, m=1.0)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('dump', help='npz file of a sequence, as tools/test.py --dump writes it')
    parser.add_argument(
        '--out',
        help=f'the file, ending in one of {", ".join(WRITERS)}; defaults to <sequence>.html in the '
        'current folder',
    )
    parser.add_argument('--data-root', help='folder of the body models')
    drawing = parser.add_argument_group('drawing (.html, .mp4, .png)')
    drawing.add_argument(
        '--video', help='video to draw on, not for .html; without it the background is dark'
    )
    drawing.add_argument(
        '--skeleton', action='store_true', help='skeletons only: faster, and without body models'
    )
    drawing.add_argument('--height', type=int, help='of the frames of an .mp4, px (default: 360)')
    export = parser.add_argument_group('other programs (.bvh, .glb, .npz, .pt)')
    export.add_argument(
        '--space',
        choices=['world', 'camera', 'given'],
        help='coordinates: world (default), camera (y down), or given: those of the camera file of '
        'the video, not for .glb',
    )
    export.add_argument(
        '--up', choices=['+y', '+z'], help='up axis of the world in an .npz: +z (default) or +y'
    )
    export.add_argument(
        '--body',
        choices=['smplx', 'smpl'],
        help='body of an .npz: smplx (default), or smpl, which takes the model files of both',
    )
    export.add_argument(
        '--unit',
        choices=sorted(UNITS),
        help='of the lengths of a .bvh: cm (default), or m for Blender',
    )
    parser.set_defaults(**dict.fromkeys(DEFAULTS))
    return parser.parse_args()


def open_video(path: Optional[str], dump: MotionDump) -> Optional[ResampledVideo]:
    """Open the video at the start of the sequence, at 30 frames a second; note if there is none."""
    if path is None:
        return None
    if not Path(path).exists():
        print(f'Note: there is no video {path!r}; drawing on a dark background')
        return None
    from gvhmr_da_mm.video.resampled_video import open_video_of

    return open_video_of(path, dump)


def write_page(path: Path, dump: MotionDump, args: argparse.Namespace) -> None:
    """Write an interactive page."""
    from gvhmr_da_mm.visualization import write_html_viewer

    write_html_viewer(path, dump, args.data_root, with_mesh=not args.skeleton)


def write_video(path: Path, dump: MotionDump, args: argparse.Namespace) -> None:
    """Write prediction, labels and world side by side."""
    from gvhmr_da_mm.core.checks import check_at_least
    from gvhmr_da_mm.visualization import ground_truth_track, prediction_track, write_motion_video
    from gvhmr_da_mm.visualization.window import MIN_HEIGHT

    check_at_least(MIN_HEIGHT, **{'--height': args.height})
    if 'img_shape' not in dump.sample:
        raise DataError(f'the metainfo of {dump.path} should have `img_shape` (height, width)')
    options = dict(
        data_root=args.data_root, with_mesh=not args.skeleton, K=dump.inputs.get('K_fullimg')
    )
    keypoints = dump.inputs.get('kp2d')
    write_motion_video(
        path,
        prediction_track(dump.sample, **options),
        tuple(dump.sample.img_shape[:2]),
        ground_truth_track(dump.sample, **options),
        open_video(args.video, dump),
        None if keypoints is None else keypoints.numpy(),
        height=args.height,
    )


def write_sheet(path: Path, dump: MotionDump, args: argparse.Namespace) -> None:
    """Write a contact sheet."""
    from gvhmr_da_mm.visualization import MotionLocalVisualizer
    from gvhmr_da_mm.visualization.picture_file import write_picture

    visualizer = MotionLocalVisualizer(data_root=args.data_root, draw_mesh=not args.skeleton)
    sheet = visualizer.draw_datasample(
        dump.sample, open_video(args.video, dump), inputs=dump.inputs
    )
    write_picture(path, sheet)


def write_skeleton(path: Path, dump: MotionDump, args: argparse.Namespace) -> None:
    """Write a skeleton of 22 joints."""
    from gvhmr_da_mm.export import dumped_person, given_up, person_skeleton, write_bvh

    up = given_up(dump) if args.space == 'given' else '+y'
    motion = person_skeleton(dumped_person(dump), stored_space(args), up)
    write_bvh(path, motion, UNITS[args.unit])


def write_mesh(path: Path, dump: MotionDump, args: argparse.Namespace) -> None:
    """Write a skinned mesh of the mean shape, and the camera of the world."""
    import torch

    from gvhmr_da_mm.export import CameraTrack, dumped_person, in_given_world, write_person_glb

    person, camera = dumped_person(dump), None
    if args.space == 'world' and 'K_fullimg' in dump.inputs and 'img_shape' in dump.sample:
        size = tuple(dump.sample.img_shape[1::-1])
        camera = CameraTrack(torch.from_numpy(person.T_w2c), dump.inputs['K_fullimg'][0], size)
    # In the world of a given camera heights are measured: the ground need not be at y = 0.
    on_soles = args.space == 'world' and not in_given_world(dump)
    write_person_glb(path, person, camera, args.space, on_soles, data_root=args.data_root)


def write_parameters(path: Path, dump: MotionDump, args: argparse.Namespace) -> None:
    """Write parameters as AMASS does."""
    from gvhmr_da_mm.export import dumped_person, given_up, write_amass_npz

    up = dict(camera='+y', world=args.up).get(args.space) or given_up(dump)
    write_amass_npz(
        path, dumped_person(dump), stored_space(args), up, args.body, data_root=args.data_root
    )


def write_published(path: Path, dump: MotionDump, args: argparse.Namespace) -> None:
    """Write parameters in the published layout of GVHMR."""
    from gvhmr_da_mm.export import dumped_person, write_hmr4d_results

    K = dump.inputs['K_fullimg'][0].numpy() if 'K_fullimg' in dump.inputs else None
    write_hmr4d_results(path, dumped_person(dump), K)


def stored_space(args: argparse.Namespace) -> str:
    """Return the space of the fields that are written: `given` is the world with other axes."""
    return 'camera' if args.space == 'camera' else 'world'


# The writer of each ending, and the options it takes.
WRITERS = {
    '.html': (write_page, ('skeleton',)),
    '.mp4': (write_video, ('video', 'skeleton', 'height')),
    '.png': (write_sheet, ('video', 'skeleton')),
    '.bvh': (write_skeleton, ('space', 'unit')),
    '.glb': (write_mesh, ('space',)),
    '.npz': (write_parameters, ('space', 'up', 'body')),
    '.pt': (write_published, ()),
}


def check_args(path: Path, args: argparse.Namespace) -> None:
    """Refuse options that the format does not take, then fill in the defaults."""
    if path.suffix not in WRITERS:
        raise ConfigError(f'`--out` should end in one of {", ".join(WRITERS)}, got {str(path)!r}')
    if path.resolve() == Path(args.dump).resolve():
        raise ConfigError(f'`--out {path}` is the dump itself: choose another name')
    if args.video is not None and path.resolve() == Path(args.video).resolve():
        raise ConfigError(f'`--out {path}` is the video itself: choose another name')
    if args.up is not None and args.space not in (None, 'world'):
        raise ConfigError('`--up` is for `--space world`: leave it out')
    for name, default in DEFAULTS.items():
        if getattr(args, name) is None:
            setattr(args, name, default)
        elif name not in WRITERS[path.suffix][1]:
            kinds = ', '.join(kind for kind, (_, options) in WRITERS.items() if name in options)
            raise ConfigError(
                f'`--{name}` is for {kinds}, and `--out` is {str(path)!r}: leave it out'
            )
    if path.suffix == '.glb' and args.space == 'given':
        raise ConfigError('`--space given` is not for .glb, which is y up: leave it out')


@report_errors
def main() -> None:
    """Read the sequence and write the file."""
    args = parse_args()
    path = Path(args.out or f'{Path(args.dump).stem}.html')
    check_args(path, args)
    # After the command line was read: PyTorch takes seconds to import.
    from gvhmr_da_mm.structures import read_motion_dump

    WRITERS[path.suffix][0](path, read_motion_dump(args.dump), args)
    print(path)


if __name__ == '__main__':
    main()
