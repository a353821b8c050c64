"""What the commands on videos have in common: arguments and what they print."""

import argparse
from pathlib import Path

from rich.console import Console

from .command_line import ConfigOptions

CONSOLE = Console()
INTERRUPTED_STATUS = 130


def add_model_arguments(parser: argparse.ArgumentParser, weights: str) -> argparse._ArgumentGroup:
    """Add the arguments of the model, and return their group.

    Args:
        parser (ArgumentParser): Gets them.
        weights (str): What ``--weights`` is.
    """
    group = parser.add_argument_group('model')
    group.add_argument(
        '--model', help='a shipped model (default: the largest), or the config of --weights'
    )
    group.add_argument('--weights', help=weights)
    group.add_argument('--data-root', help='folder of the body models')
    group.add_argument('--device', help='default: a GPU if there is one')
    return group


def add_people_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how people are found."""
    group = parser.add_argument_group('people')
    group.add_argument(
        '--keypoints',
        default='mediapipe',
        help='mediapipe (default), rtmlib, mmpose, file or folder',
    )
    group.add_argument('--people', default='all', help='all (default), largest or longest')
    group.add_argument('--min-frames', type=int, default=30, help='seen in fewer: left out')
    group.add_argument(
        '--options',
        nargs='+',
        action=ConfigOptions,
        default={},
        metavar='KEY=VALUE',
        help='of the detector: model_complexity=2, ...',
    )


def add_known_arguments(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the arguments for what is known about videos, and return their group."""
    group = parser.add_argument_group('what is known')
    group.add_argument('--focal', help='focal length: pixels, or such as 24mm')
    group.add_argument('--static-camera', action='store_true', help='the camera stands still')
    group.add_argument('--fps', type=float, default=30, help='of folders of images (default: 30)')
    return group


def print_plain(text: str) -> None:
    """Print a line without markup, as file names may contain brackets."""
    CONSOLE.print(text, soft_wrap=True, markup=False, highlight=False)


def print_failure(name: str, problem: object) -> None:
    """Print that a video has failed, and why."""
    CONSOLE.print('[red]failed[/] ', end='')
    print_plain(f'{name}: {problem}')


def interrupted(out: Path) -> int:
    """Print that a command was interrupted, and return its exit status."""
    print_plain(f'Interrupted. Finished stages are kept in {out}: run it again to go on')
    return INTERRUPTED_STATUS
