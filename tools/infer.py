"""Recover the motion of all people of videos: files for other programs, an overlay and a page.

Writes OUT/<video>/ with motion.npz (motion_<id>.npz for each of several people), overlay.mp4,
world.html and summary.json. A second run uses the stages again that are finished; a video that
fails is recorded in its summary.json, and the others go on (docs/en/videos.md).
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Union

from gvhmr_da_mm.cli.command_line import check_output_folder, report_errors
from gvhmr_da_mm.cli.video_command import (
    CONSOLE,
    add_known_arguments,
    add_model_arguments,
    add_people_arguments,
    interrupted,
    print_failure,
    print_plain,
)
from gvhmr_da_mm.config.choices import FLOOR_CHOICES
from gvhmr_da_mm.core.errors import ConfigError, GVHMRError

if TYPE_CHECKING:
    from gvhmr_da_mm.apis.inferencers import MotionInferencer, ResultFolder, VideoInput


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'inputs',
        nargs='*',
        metavar='VIDEO',
        help='a video, a folder of images, a folder of these, or webcam:0',
    )
    parser.add_argument('--out', type=Path, default=Path('motions'), help='default: motions')
    parser.add_argument('--list-models', action='store_true', help='list the shipped models')
    parser.add_argument(
        '--format',
        nargs='+',
        default=['npz'],
        help='of the motion files: npz (default), pt, json, bvh, glb',
    )
    parser.add_argument('--no-draw', action='store_true', help='no overlay.mp4 and world.html')
    parser.add_argument('--show', action='store_true', help='open the page in the browser')
    model = add_model_arguments(parser, weights='a checkpoint')
    model.add_argument('--no-fit', action='store_true', help='no fit to the keypoints: faster')
    model.add_argument('--image-weights', help='weights of HMR2.0, for image features')
    add_people_arguments(parser)
    known = add_known_arguments(parser)
    known.add_argument(
        '--height',
        nargs='+',
        metavar='METRES',
        help='of all people, such as 1.78, or of some by their id, such as 0=1.78 2=1.65',
    )
    known.add_argument(
        '--floor',
        choices=FLOOR_CHOICES,
        default=FLOOR_CHOICES[0],
        help='steps: drift in height is removed, steps remain (default); flat: neither; free: both',
    )
    known.add_argument('--camera-rotations', metavar='FILE', help='world to camera, of each frame')
    known.add_argument('--camera-poses', metavar='FILE', help='`T_w2c` and `up`, of each frame')
    args = parser.parse_args()
    if not args.inputs and not args.list_models:
        parser.error('expected a VIDEO')
    return args


def read_height(given: Optional[list[str]]) -> Union[None, float, dict[int, float]]:
    """Return the height of all people, or of some by their id."""
    if given is None:
        return None
    try:
        if len(given) == 1 and '=' not in given[0]:
            return float(given[0])
        pairs = [item.split('=') for item in given]
        heights = {int(number): float(height) for number, height in pairs}
        if len(heights) < len(pairs):
            raise ValueError('a person has two heights')
        return heights
    except ValueError as error:
        raise ConfigError(
            f'`--height` should be metres such as 1.78, or such as 0=1.78 2=1.65, got {given}'
        ) from error


class Run:
    """The videos of a command, one after another.

    Args:
        args (argparse.Namespace): The command line.
        inferencer (MotionInferencer): Recovers a video.
    """

    def __init__(self, args: argparse.Namespace, inferencer: MotionInferencer) -> None:
        from gvhmr_da_mm.apis.inferencers import camera_of

        self.args, self.inferencer, self.failed = args, inferencer, 0
        self.settings = inferencer.settings(
            people=args.people,
            min_frames=args.min_frames,
            camera=camera_of(args.camera_rotations, args.camera_poses, args.static_camera),
            focal=args.focal,
            height=read_height(args.height),
            floor=args.floor,
            fit=not args.no_fit,
            fps=args.fps,
        )
        self.folder_of('').check(args.format)

    def __call__(self) -> int:
        """Recover all videos and return the exit status."""
        for video in self.videos():
            self.recover(video)
        return 1 if self.failed else 0

    def videos(self) -> Iterator[VideoInput]:
        """Yield all videos; inputs that cannot be read are recorded."""
        from gvhmr_da_mm.apis.inferencers import list_videos
        from gvhmr_da_mm.apis.inferencers.video_inputs import free_name, name_of_input
        from gvhmr_da_mm.video.stage_clock import StageClock

        names: set[str] = set()
        for given in self.args.inputs:
            try:
                yield from list_videos(given, self.args.fps, names)
            except GVHMRError as error:
                name = free_name(name_of_input(given), names)
                self.folder_of(name).summarise_failure(error, StageClock())
                self.fail(name, error)

    def recover(self, video: VideoInput) -> None:
        """Recover a video and say what was found, or why it failed."""
        from gvhmr_da_mm.cli.stage_progress import StageProgress
        from gvhmr_da_mm.video.stage_clock import StageClock

        args, folder = self.args, self.folder_of(video.name)
        try:
            with StageProgress(CONSOLE, video.name) as shown:
                clock = StageClock(shown)
                result = self.inferencer.recover(
                    video, self.settings, folder, args.format, args.show, clock
                )
        except Exception as error:  # One bad video must not stop the others.
            self.fail(video.name, error)
            return
        people = ', '.join(
            f'{number} (seen in {person.coverage:.0%} of frames {person.first_frame} to '
            f'{person.last_frame})'
            for number, person in result.people.items()
        )
        seconds = sum(clock.seconds.values())
        print_plain(f'{video.name}: {len(result)} frames in {seconds:.1f} s; people: {people}')
        for note in result.facts['notes']:
            print_plain(f'  {note}')

    def folder_of(self, name: str) -> ResultFolder:
        """Return the folder of a video."""
        from gvhmr_da_mm.apis.inferencers import ResultFolder

        return ResultFolder.of(name, None if self.args.no_draw else self.args.out, self.args.out)

    def fail(self, name: str, error: Exception) -> None:
        """Print why a video failed, with a traceback if it is not the user's to mend."""
        self.failed += 1
        print_failure(name, error)
        if not isinstance(error, (GVHMRError, OSError)):
            traceback.print_exception(type(error), error, error.__traceback__)


@report_errors
def main() -> int:
    """Recover the videos."""
    args = parse_args()
    check_output_folder('--out', args.out)
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from gvhmr_da_mm.apis.inferencers import MotionInferencer

    if args.list_models:
        print_plain('\n'.join(MotionInferencer.list_models()) or 'this version ships no model')
        return 0
    inferencer = MotionInferencer(
        args.model,
        args.weights,
        args.device,
        args.data_root,
        args.keypoints,
        args.options,
        args.image_weights,
    )
    try:
        return Run(args, inferencer)()
    except KeyboardInterrupt:
        return interrupted(args.out)


if __name__ == '__main__':
    sys.exit(main())
