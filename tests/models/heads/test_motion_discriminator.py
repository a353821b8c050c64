import pytest
import torch

from gvhmr_da_mm.core.errors import ConfigError, ShapeError
from gvhmr_da_mm.core.rotation import axis_angle_to_matrix
from gvhmr_da_mm.models.heads.motion_discriminator import (
    MotionDiscriminator,
    discriminator_loss,
    discriminator_pose,
    frozen,
    generator_adversarial_loss,
    score_together,
)

POOLINGS = ['attention', 'max', 'avg']


def build(pooling='attention', **kwargs):
    return MotionDiscriminator(hidden_size=16, attention_size=8, pooling=pooling, **kwargs).double()


def mask(lengths, length):
    return torch.arange(length) < torch.tensor(lengths)[:, None]


def test_every_third_valid_frame():
    net = build(frame_stride=3).eval()
    every = build(frame_stride=1).eval()
    every.load_state_dict(net.state_dict())
    pose = torch.randn(1, 10, 69, dtype=torch.float64)
    # Frames that are missing are not counted.
    valid = torch.tensor([[0, 1, 1, 1, 0, 1, 1, 0, 1, 1]]).bool()
    torch.testing.assert_close(net(pose, valid), every(pose[:, [1, 5, 9]]), rtol=1e-12, atol=0)
    torch.testing.assert_close(net(pose[:, :2]), every(pose[:, :1]), rtol=1e-12, atol=0)
    assert not net(pose, ~valid & valid).any()


@pytest.mark.parametrize('pooling', POOLINGS)
class TestPadding:
    def test_content_and_amount_do_not_matter(self, pooling):
        net = build(pooling).eval()
        pose = torch.randn(3, 9, 69, dtype=torch.float64)
        valid = mask([9, 5, 1], 9)
        score = net(pose, valid)
        alone = torch.cat([net(pose[i : i + 1, :n]) for i, n in enumerate((9, 5, 1))])
        torch.testing.assert_close(score, alone, rtol=1e-12, atol=1e-12)
        for filler in (0.0, 1e6, float('nan'), float('inf')):
            padded = torch.full((3, 30, 69), filler, dtype=torch.float64)
            padded[:, :9] = torch.where(valid[..., None], pose, torch.tensor(filler).double())
            other = net(padded, mask([9, 5, 1], 30))
            torch.testing.assert_close(other, score, rtol=1e-12, atol=1e-12)

    def test_valid_frames_may_lie_anywhere(self, pooling):
        net = build(pooling).eval()
        pose = torch.randn(1, 4, 69, dtype=torch.float64)
        scattered = torch.full((1, 9, 69), float('nan'), dtype=torch.float64)
        where = torch.tensor([1, 4, 5, 8])
        scattered[:, where] = pose
        valid = torch.zeros(1, 9, dtype=torch.bool)
        valid[:, where] = True
        torch.testing.assert_close(net(scattered, valid), net(pose), rtol=1e-12, atol=1e-12)

    def test_nan_padding_leaves_gradients_finite(self, pooling):
        net = build(pooling)
        pose = torch.randn(2, 6, 69, dtype=torch.float64)
        pose[1, 3:] = float('nan')
        pose.requires_grad_()
        net(pose, mask([6, 3], 6)).sum().backward()
        assert pose.grad[0].abs().sum() > 0
        assert pose.grad.isfinite().all() and not pose.grad[1, 3:].any()
        assert all(p.grad.isfinite().all() for p in net.parameters())

    def test_no_valid_frame(self, pooling):
        net = build(pooling).eval()
        pose = torch.randn(2, 6, 69, dtype=torch.float64)
        score = net(pose, mask([0, 6], 6))
        assert score[0] == 0 and 0 < score[1] < 1


def test_lengths_instead_of_a_mask():
    net = build().eval()
    pose = torch.randn(3, 9, 69, dtype=torch.float64)
    lengths = torch.tensor([9, 5, 1])
    assert torch.equal(net(pose, lengths), net(pose, mask([9, 5, 1], 9)))


def test_layers_equal_one_lstm_of_pytorch():
    net = MotionDiscriminator(hidden_size=8, dropout=0.3)
    whole = torch.nn.LSTM(69, 8, 2, batch_first=True, dropout=0.3)
    for layer, lstm in enumerate(net.lstm):
        for name, value in lstm.state_dict().items():
            getattr(whole, name.replace('_l0', f'_l{layer}')).data.copy_(value)
    frames = torch.randn(3, 9, 69)
    for training in (False, True):
        net.train(training), whole.train(training)
        torch.manual_seed(1)
        found = net._recur(frames)
        torch.manual_seed(1)
        assert torch.equal(found, whole(frames)[0])


def test_the_lstm_of_a_cpu_keeps_full_precision():
    discriminator = MotionDiscriminator(hidden_size=8, attention_size=4)
    seen = []
    for layer in discriminator.lstm:
        layer.register_forward_hook(lambda module, args, output: seen.append(output[0].dtype))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        discriminator(torch.randn(2, 5, 69)).sum().backward()
    assert seen == [torch.float32] * len(discriminator.lstm)


def test_order_of_frames_matters():
    net = build('avg').eval()
    pose = torch.randn(1, 9, 69, dtype=torch.float64)
    assert (net(pose) - net(pose.flip(1))).abs() > 1e-6


def test_default_architecture():
    net = MotionDiscriminator()
    assert [lstm.hidden_size for lstm in net.lstm] == [1024, 1024] and net.dropout.p == 0.1
    # Dropout inside an LSTM draws from a state of cuDNN, with which resuming is not exact.
    assert all(lstm.num_layers == 1 and lstm.dropout == 0 for lstm in net.lstm)
    assert [tuple(p.shape) for n, p in net.attention.named_parameters() if 'weight' in n] == [
        (256, 1024),
        (1, 256),
    ]
    assert net.classifier[0].weight.shape == (512, 1024)
    deep = MotionDiscriminator(hidden_size=8, attention_layers=3)
    assert sum(isinstance(m, torch.nn.Linear) for m in deep.attention) == 4


def test_score_is_eval_without_gradient_and_restores_the_mode():
    net = build(dropout=0.5).train()
    pose = torch.randn(2, 9, 69, dtype=torch.float64, requires_grad=True)
    first, second = net.score(pose), net.score(pose)
    assert torch.equal(first, second) and not first.requires_grad and net.training
    assert not torch.equal(net(pose), net(pose)), 'dropout is on in train mode'


def test_inputs_are_standardised_by_all_true_motion_seen():
    critic = MotionDiscriminator(hidden_size=8, attention_size=4)
    batches = [torch.randn(5, 9, 69) * 0.3 + 0.5, torch.randn(2, 9, 69) * 0.1 - 0.2]
    masks = [torch.rand(5, 9) < 0.7, torch.ones(2, 9, dtype=torch.bool)]
    batches[0][~masks[0]] = float('nan')
    for pose, valid in zip(batches, masks):
        critic.observe(pose, valid)
    frames = torch.cat([pose[valid] for pose, valid in zip(batches, masks)])
    torch.testing.assert_close(critic.input_mean, frames.mean(dim=0))
    torch.testing.assert_close(critic.input_var, frames.var(dim=0, unbiased=False))
    critic.observe(batches[1], torch.zeros(2, 9, dtype=torch.bool))
    torch.testing.assert_close(critic.input_mean, frames.mean(dim=0))

    plain = MotionDiscriminator(hidden_size=8, attention_size=4)
    plain.load_state_dict(critic.state_dict())
    plain.input_mean.zero_()
    plain.input_var.fill_(1.0)
    standard = (batches[1] - critic.input_mean) / critic.input_var.sqrt()
    torch.testing.assert_close(critic.score(batches[1]), plain.score(standard))


def test_learns_to_tell_still_from_jittering_motion():
    torch.manual_seed(1)
    net = MotionDiscriminator(hidden_size=32, attention_size=16)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(60):
        real = torch.randn(16, 1, 69).expand(-1, 10, -1) * 0.1
        fake = real + 0.5 * torch.randn(16, 10, 69)
        loss = sum(discriminator_loss(net(real), net(fake)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert net.score(real).mean() > 0.75 and net.score(fake).mean() < 0.25


class TestErrors:
    def test_config(self):
        with pytest.raises(ConfigError, match='pooling'):
            MotionDiscriminator(pooling='mean')
        with pytest.raises(ConfigError, match='attention_layers'):
            MotionDiscriminator(attention_layers=0)

    def test_shapes(self):
        net = build()
        with pytest.raises(ShapeError, match='body_pose'):
            net(torch.zeros(2, 5, 63).double())
        with pytest.raises(ShapeError, match='valid'):
            net(torch.zeros(2, 5, 69).double(), torch.ones(2, 4, dtype=torch.bool))
        with pytest.raises(ShapeError, match='bool'):
            net(torch.zeros(2, 5, 69).double(), torch.ones(2, 5))
        with pytest.raises(ShapeError, match='body_pose'):
            discriminator_pose(torch.zeros(2, 5, 66))


def test_discriminator_pose():
    pose = torch.randn(2, 3, 63, dtype=torch.float64) * 0.5
    got = discriminator_pose(pose)
    assert got.shape == (2, 3, 69) and torch.equal(got[..., :63], pose) and not got[..., 63:].any()
    matrices = axis_angle_to_matrix(pose.view(2, 3, 21, 3))
    torch.testing.assert_close(discriminator_pose(matrices), got)


def test_least_squares_losses():
    real, fake = torch.tensor([1.0, 0.5]), torch.tensor([0.0, 0.5, 1.0])
    true_term, fake_term = discriminator_loss(real, fake)
    assert true_term.item() == pytest.approx(0.125)
    assert fake_term.item() == pytest.approx(1.25 / 3)
    assert generator_adversarial_loss(fake).item() == pytest.approx(1.25 / 3)


def test_scores_of_one_pass_are_those_of_each_batch():
    net = build().eval()
    true, fake = torch.randn(3, 9, 69).double(), torch.randn(2, 5, 69).double()
    valid, fake_valid = mask([9, 4, 1], 9), mask([5, 2], 5)
    scores = score_together(net, (true, valid), (fake, fake_valid))
    for got, wanted in zip(scores, (net(true, valid), net(fake, fake_valid))):
        torch.testing.assert_close(got, wanted, rtol=1e-12, atol=1e-12)


def test_no_sample_gives_zero_with_a_graph():
    scores = torch.ones(2, requires_grad=True)
    loss = generator_adversarial_loss(scores[:0])
    loss.backward()
    assert loss == 0 and not scores.grad.any()


class TestFrozen:
    def test_student_gets_the_gradient_and_the_discriminator_does_not(self):
        net, pose = build(), torch.randn(2, 9, 69, dtype=torch.float64, requires_grad=True)
        with frozen(net) as critic:
            loss = generator_adversarial_loss(critic(pose))
        loss.backward()
        assert pose.grad.abs().sum() > 0
        assert all(p.grad is None for p in net.parameters())
        assert all(p.requires_grad for p in net.parameters())

    def test_restores_flags_after_an_error(self):
        net = build()
        net.classifier[0].weight.requires_grad_(False)
        with pytest.raises(ZeroDivisionError), frozen(net):
            raise ZeroDivisionError
        flags = {n for n, p in net.named_parameters() if not p.requires_grad}
        assert flags == {'classifier.0.weight'}
