"""Measure a keypoint detector on calibrated videos: the numbers of ``DetectorNoise``.

    python benchmarks/detector_noise.py DIR [--json FILE]

DIR holds the videos of at least four synchronised cameras and their calibration, ``*.qca.txt``
(Qualisys); cameras are named as the videos. Every second frame of a 60 Hz video is a video of its
own, as are those between. Needs MediaPipe (docs/en/install.md).
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.noise.fit import fit, measure, table  # noqa: E402
from gvhmr_da_mm.cli.command_line import report_errors  # noqa: E402
from gvhmr_da_mm.core.conventions import FPS  # noqa: E402
from gvhmr_da_mm.core.errors import DataError  # noqa: E402
from gvhmr_da_mm.core.layout import NUM_COCO  # noqa: E402
from gvhmr_da_mm.video.calibrated_views import find_calibration, read_views  # noqa: E402
from gvhmr_da_mm.video.detectors import MediaPipePose  # noqa: E402


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folder', type=Path, metavar='DIR', help='videos and their calibration')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the numbers to a file')
    return parser.parse_args()


def detect(video: Path) -> list[np.ndarray]:
    """Detect keypoints (F, 17, 3) in each of the 30 Hz videos that a video is made of."""
    import cv2

    capture = cv2.VideoCapture(str(video))
    step = round(capture.get(cv2.CAP_PROP_FPS) / FPS)
    frames = []
    while True:
        read, image = capture.read()
        if not read:
            break
        frames.append(image[:, :, ::-1].copy())
    if step < 1 or not frames:
        raise DataError(f'{video} should be a video of at least {FPS} Hz that can be read')
    results = []
    for phase in range(step):
        with MediaPipePose() as detector:
            found = [detector(image, number) for number, image in enumerate(frames[phase::step])]
        nobody = np.zeros((NUM_COCO, 3))
        results.append(np.stack([d.keypoints[0] if len(d.keypoints) else nobody for d in found]))
    return results


@report_errors
def main() -> None:
    """Detect, compare, print."""
    args = parse_args()
    # Three cameras to check the fourth.
    views = read_views(find_calibration(args.folder), min_views=4)
    seen = [detect(args.folder / f'{view.name}.mp4') for view in views]
    videos = [np.stack(keypoints) for keypoints in zip(*seen)]
    result = fit([measure(views, keypoints) for keypoints in videos])
    print(table(result))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1))


if __name__ == '__main__':
    main()
