from gvhmr_da_mm.core import layout
from gvhmr_da_mm.core.layout import MOTION


def test_the_slices_tile_the_vector():
    """Body pose, betas, root in the camera, root in the gravity view, velocity."""
    slices = [MOTION.body_pose, MOTION.betas, MOTION.orient_c, MOTION.orient_gv, MOTION.velocity]
    covered = [index for part in slices for index in range(part.start, part.stop)]
    assert covered == list(range(MOTION.size))
    widths = [part.stop - part.start for part in slices]
    body = layout.NUM_BODY_JOINTS * layout.ROT6D
    assert widths == [body, layout.NUM_BETAS, layout.ROT6D, layout.ROT6D, 3]


def test_what_camera_only_clips_cannot_see_is_the_end():
    assert MOTION.world == slice(MOTION.orient_gv.start, MOTION.size)


def test_sizes_of_the_bodies():
    assert layout.NUM_JOINTS == layout.NUM_BODY_JOINTS + 1 == 22
    assert layout.SMPL_BODY_POSE == 3 * (layout.NUM_BODY_JOINTS + 2)
