import pytest
import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict

from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.engine.hooks.mean_teacher_hook import MeanTeacherHook


def two_optimizers(model, accumulation=1):
    return OptimWrapperDict(
        model=OptimWrapper(torch.optim.SGD([model.weight], 0.1), accumulation),
        discriminator=OptimWrapper(torch.optim.SGD([model.critic], 0.1)),
    )


def test_follows_every_update(run, toy):
    model = toy()
    run([MeanTeacherHook(momentum=0.5)], model, epochs=1)
    assert model.momenta == [0.5] * 6
    student, teacher = 0.0, 0.0
    for seen in model.students:
        student = student - 0.1 * 2 * (student - 1)
        assert seen == pytest.approx(student), 'the teacher moves after the student'
        teacher += 0.5 * (student - teacher)
    assert model.teacher.item() == pytest.approx(teacher)


def test_accumulation_moves_nothing_in_between(run, toy):
    model = toy()
    wrapper = dict(optimizer=dict(type='SGD', lr=0.1), accumulative_counts=4)
    run([MeanTeacherHook()], model, epochs=2, optim_wrapper=wrapper)
    assert len(model.momenta) == 3  # 12 iterations.


def test_an_idle_student_moves_nothing(run, toy):
    model = toy()
    model.student_every = 3
    run([MeanTeacherHook()], model, epochs=2, optim_wrapper=two_optimizers(model))
    assert len(model.momenta) == 4
    assert len(set(model.students)) == 4


def test_accumulation_with_two_optimizers(run, toy):
    model = toy()
    run([MeanTeacherHook()], model, epochs=2, optim_wrapper=two_optimizers(model, 3))
    assert len(model.momenta) == 4


def test_warmup_is_the_average_of_all_students(run, toy):
    model = toy()
    run([MeanTeacherHook(momentum=0.001, warmup=True)], model, epochs=1)
    assert model.momenta == [1 / (i + 1) for i in range(6)]
    assert model.teacher.item() == pytest.approx(sum(model.students) / 6)


def test_warmup_goes_on_after_resuming(run, toy):
    run([MeanTeacherHook(warmup=True)], epochs=1)
    model = toy()
    run([MeanTeacherHook(warmup=True)], model, epochs=2, resume=True)
    assert model.momenta == [1 / (i + 1) for i in range(6, 12)]


def test_warmup_ends_at_the_momentum():
    hook = MeanTeacherHook(momentum=0.1, warmup=True)
    assert [hook.momentum_at(i) for i in (0, 4, 9, 50)] == [1, 0.2, 0.1, 0.1]
    assert MeanTeacherHook(momentum=0.1).momentum_at(0) == 0.1


def test_passes_skip_buffers_on(run, toy):
    class Buffered(toy):
        def update_teacher(self, momentum, skip_buffers):
            self.momenta.append(skip_buffers)

    model = Buffered()
    run([MeanTeacherHook(skip_buffers=False)], model, epochs=1)
    assert model.momenta == [False] * 6


def test_errors(run, toy):
    for momentum in (0, 1.5, -0.1):
        with pytest.raises(ConfigError, match='momentum'):
            MeanTeacherHook(momentum=momentum)
    model = toy()
    with pytest.raises(ConfigError, match="'discriminator', 'model'"):
        run([MeanTeacherHook(optimizer='student')], model, optim_wrapper=two_optimizers(model))

    class Plain(BaseModel):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(()))

        def forward(self, inputs, data_samples=None, mode='tensor'):
            return dict(loss=self.weight)

    with pytest.raises(ConfigError, match='update_teacher'):
        run([MeanTeacherHook()], Plain())
