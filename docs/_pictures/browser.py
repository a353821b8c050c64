"""Screenshots of pages by a headless browser."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from gvhmr_da_mm.core.errors import MissingFilesError

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
FLAGS = ('--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars')
WAIT = 5000
"""Milliseconds of the page's own time before the screenshot."""


def screenshot(page: Path, frame: int, size: tuple[int, int]) -> np.ndarray:
    """Return what a browser shows of an interactive page.

    Args:
        page (Path): The HTML file.
        frame (int): Frame at which it is opened.
        size (tuple[int, int]): Width and height of the window, px.

    Returns:
        np.ndarray: RGB image (h, w, 3), uint8.

    Raises:
        MissingFilesError: If there is no browser.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise MissingFilesError(
            f'there is none of the browsers {", ".join(BROWSERS)}: install Chromium, such as by '
            '`apt-get install chromium`, or leave this picture out by `--only`'
        )
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / 'shot.png'
        window = f'--window-size={size[0]},{size[1]}'
        command = [browser, *FLAGS, window, f'--virtual-time-budget={WAIT}', f'--screenshot={shot}']
        address = f'{page.resolve().as_uri()}#{frame}'
        subprocess.run([*command, address], check=True, capture_output=True)
        return np.asarray(Image.open(shot).convert('RGB'))
