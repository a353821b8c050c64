import numpy as np
import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.core.rotation import relative_angle
from gvhmr_da_mm.demo.motions import (
    REAL_MOTIONS,
    SYNTHETIC_MOTIONS,
    embedded_takes,
    load_clip,
    perform,
)
from gvhmr_da_mm.demo.motions.contact import posed_vertices, put_on_floor, stop_skating
from gvhmr_da_mm.demo.motions.performance import random_clip


def test_every_clip_loads_and_belongs_to_one_domain():
    assert not set(REAL_MOTIONS) & set(SYNTHETIC_MOTIONS)
    for name in REAL_MOTIONS + SYNTHETIC_MOTIONS:
        clip = load_clip(name)
        assert len(clip) >= 90 and clip.rotations.shape[1:] == (22, 3, 3)
        assert 0.05 < clip.pelvis[:, 1].min() < 1.2


def test_unknown_clip():
    with pytest.raises(ConfigError, match='walk'):
        load_clip('moonwalk')


def test_mirror_twice_is_the_same():
    clip = load_clip('kick')
    again = clip.mirror().mirror()
    torch.testing.assert_close(again.rotations, clip.rotations)
    torch.testing.assert_close(again.pelvis, clip.pelvis)


def test_turning_keeps_speed_and_height():
    clip = load_clip('run')
    turned = clip.turn(torch.full((len(clip),), 1.2))
    torch.testing.assert_close(turned.pelvis[:, 1], clip.pelvis[:, 1])
    speed = clip.pelvis.diff(dim=0).norm(dim=-1)
    torch.testing.assert_close(turned.pelvis.diff(dim=0).norm(dim=-1), speed, atol=1e-5, rtol=0)


def test_tempo_changes_length():
    clip = load_clip('walk')
    assert len(clip.change_tempo(0.5)) == pytest.approx(2 * len(clip), abs=3)


def test_joining_leaves_no_jump():
    clip = load_clip('walk')
    joined = clip.append(clip, 12)
    assert len(joined) == 2 * len(clip) - 12
    step = joined.pelvis.diff(dim=0).norm(dim=-1)
    assert step.max() < 2 * clip.pelvis.diff(dim=0).norm(dim=-1).max()
    turn = relative_angle(joined.rotations[1:], joined.rotations[:-1])
    usual = relative_angle(clip.rotations[1:], clip.rotations[:-1])
    assert turn.max() < 2 * usual.max()


@pytest.mark.parametrize('frames', [1, 60, 250])
def test_random_clip_has_the_length_and_repeats(studio, frames):
    first, second = (
        random_clip(
            embedded_takes('walk', 'spin'),
            frames,
            studio.smplx,
            torch.zeros(10),
            np.random.default_rng(5),
        )
        for _ in range(2)
    )
    assert len(first) == frames
    torch.testing.assert_close(first.rotations, second.rotations, atol=0, rtol=0)


def test_people_of_any_size_stand_on_the_floor(studio):
    for size in (-2.0, 2.0):
        betas = torch.zeros(10)
        betas[[0, 2]] = size
        show = perform(embedded_takes('walk'), 80, betas, studio.smplx, np.random.default_rng(1))
        _, vertices = studio.smplx(show.body_pose, betas, show.global_orient, show.transl)
        lowest = vertices[..., 1].amin(-1)
        assert lowest.min() > -0.02 and lowest.median() < 0.04


def test_floating_clips_settle(studio):
    betas = torch.zeros(10)
    clip = put_on_floor(load_clip('cartwheel'), studio.smplx, betas, leaps=False)
    lowest = posed_vertices(clip, studio.smplx, betas)[..., 1].amin(-1)
    assert lowest.min() > -0.01 and lowest.quantile(0.9) < 0.04
    leap = put_on_floor(load_clip('backflip'), studio.smplx, betas)
    assert posed_vertices(leap, studio.smplx, betas)[..., 1].amin(-1).max() > 0.4


def test_feet_hold_on_to_the_floor(studio):
    clip = put_on_floor(load_clip('run').change_tempo(1.1), studio.smplx, torch.zeros(10))

    def slide(clip):
        """Median speed (m/s) of the slowest of the low points."""
        vertices = posed_vertices(clip, studio.smplx, torch.zeros(10))
        speed = vertices.diff(dim=0)[..., [0, 2]].norm(dim=-1) * 30
        low = vertices[1:, :, 1] < 0.03
        slowest = torch.where(low, speed, torch.full_like(speed, np.inf)).amin(-1)
        return slowest[slowest.isfinite()].median()

    held = stop_skating(clip, studio.smplx, torch.zeros(10))
    assert slide(held) < 0.5 * slide(clip)
    torch.testing.assert_close(held.pelvis[:, 1], clip.pelvis[:, 1])
