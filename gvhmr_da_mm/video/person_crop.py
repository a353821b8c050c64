"""Square crops of persons, the input of the image feature network."""

import cv2
import numpy as np

from ..core.errors import ShapeError
from .networks.hmr2_feature_network import CROP_SIZE

MIN_BLUR_SHRINK = 1.1
"""Half the reduction factor above which images are blurred first, against aliasing."""
BLUR_KERNEL = (5, 5)


def crop_person(image: np.ndarray, bbx_xys: np.ndarray, image_scale: float = 1.0) -> np.ndarray:
    """Crop a square box from an image and resize it.

    The centres of the corner pixels of the crop fall on the corners of the box; areas outside the
    image are black. An image that is reduced a lot is blurred first.

    Args:
        image (np.ndarray): RGB image (H, W, 3), uint8.
        bbx_xys (np.ndarray): Centre x, y and side of the box (3,), pixels.
        image_scale (float): Resize image and box by this factor first; 0.5 reproduces published
            packs. Defaults to 1.

    Returns:
        np.ndarray: RGB crop (256, 256, 3), uint8.

    Raises:
        ShapeError: If the image has another shape, or the box has no positive finite side.

    Source: HMR2.0's preprocessing, as GVHMR uses it.
    """
    box = np.asarray(bbx_xys, dtype=np.float64)
    if image.ndim != 3 or image.shape[2] != 3:
        raise ShapeError(f'`image` should have shape (H, W, 3), got {image.shape}')
    if box.shape != (3,) or not np.isfinite(box).all() or box[2] <= 0:
        raise ShapeError(f'`bbx_xys` should be centre and a positive side, got {bbx_xys}')
    if image_scale != 1:
        image = cv2.resize(image, None, fx=image_scale, fy=image_scale)
        box = box * image_scale
    shrink = box[2] / CROP_SIZE / 2
    if shrink > MIN_BLUR_SHRINK:
        image = cv2.GaussianBlur(image, BLUR_KERNEL, (shrink - 1) / 2)
    scale = (CROP_SIZE - 1) / box[2]
    offset = (CROP_SIZE - 1) / 2 - scale * box[:2]
    transform = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
    return cv2.warpAffine(image, transform, (CROP_SIZE, CROP_SIZE), flags=cv2.INTER_LINEAR)


def mirror_box(bbx_xys: np.ndarray, width: float) -> np.ndarray:
    """Return boxes (..., 3) in the mirrored image, x to ``width - x``."""
    mirrored = np.array(bbx_xys)
    mirrored[..., 0] = width - mirrored[..., 0]
    return mirrored
