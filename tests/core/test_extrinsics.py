import torch

from gvhmr_da_mm.core.extrinsics import invert_rigid, look_at, rigid_transform


def test_look_at_centres_the_target_with_the_sky_up():
    position, target = torch.tensor([[3.0, 1.5, 2.0]]), torch.tensor([[0.0, 1.0, 0.0]])
    T = look_at(position, target, torch.zeros(1))
    rotation = T[0, :3, :3]
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(3), atol=1e-5, rtol=0)
    assert rotation.det() > 0
    seen = rotation @ target[0] + T[0, :3, 3]
    torch.testing.assert_close(seen, torch.tensor([0, 0, (target - position).norm()]))
    above = rotation @ (target[0] + torch.tensor([0, 0.5, 0])) + T[0, :3, 3]
    assert above[1] < 0 and above[0].abs() < 1e-5


def test_a_transform_and_its_inverse():
    position, target = torch.rand(5, 3), torch.rand(5, 3) + 2
    T = look_at(position, target, torch.rand(5))
    torch.testing.assert_close(invert_rigid(T)[:, :3, 3], position, atol=1e-5, rtol=0)
    torch.testing.assert_close(rigid_transform(T[:, :3, :3], T[:, :3, 3]), T)
    torch.testing.assert_close(invert_rigid(T) @ T, torch.eye(4).expand(5, 4, 4), atol=1e-5, rtol=0)
