"""What the check on a GPU reports, and when it fails."""

import json

import pytest

from benchmarks import gpu_check

PASSED = '<testcase name="one" time="1.5"/>'
SKIPPED = '<testcase name="two" time="0"><skipped message="fp16 needs a GPU"/></testcase>'
FAILED = '<testcase name="three" time="2"><failure>text</failure></testcase>'


@pytest.fixture
def check(monkeypatch, tmp_path):
    """Return a function that runs the check with made-up results; it gives code and report."""

    def _check(tests, rows, gpu=True):
        commands = []

        def run(command, log, seconds, environment):
            words = [str(word) for word in command]
            commands.append((words, environment))
            if 'pytest' in words and tests is not None:
                xml = f'<testsuites><testsuite>{"".join(tests)}</testsuite></testsuites>'
                (tmp_path / 'tests.xml').write_text(xml)
            elif '--json' in words and rows is not None:
                (tmp_path / 'benchmarks.json').write_text(json.dumps(rows))

        monkeypatch.setattr(gpu_check, '_run', run)
        monkeypatch.setattr(gpu_check.torch.cuda, 'is_available', lambda: gpu)
        monkeypatch.setattr(gpu_check.torch.cuda, 'get_device_name', lambda: 'card')
        monkeypatch.setattr('sys.argv', ['gpu_check.py', '--out', str(tmp_path)])
        code = gpu_check.main()
        return code, json.loads((tmp_path / 'gpu_check.json').read_text()), commands

    return _check


def test_all_is_well(check):
    code, report, commands = check([PASSED, SKIPPED], [dict(case='a', ours_s=1.0)])
    assert code == 0 and report['device'] == 'card'
    assert [test['result'] for test in report['tests']] == ['passed', 'skipped']
    assert report['benchmarks'] == [dict(case='a', ours_s=1.0)]
    (tests, environment), (cases, _) = commands
    assert '-k' not in tests and 'GVHMR_CUDA_DRY_RUN' not in environment
    assert cases[cases.index('--device') + 1] == 'cuda'


@pytest.mark.parametrize(
    'tests, rows',
    [
        ([PASSED, FAILED], [dict(case='a', ours_s=1.0)]),
        ([PASSED], [dict(case='a', ours_s=None)]),
        ([PASSED], None),
        (None, [dict(case='a', ours_s=1.0)]),
        ([], [dict(case='a', ours_s=1.0)]),
    ],
)
def test_what_fails_or_is_not_there_counts(check, tests, rows):
    assert check(tests, rows)[0] == 1


def test_without_a_gpu_it_is_a_dry_run(check, capsys):
    code, report, commands = check([PASSED], [dict(case='a', ours_s=1.0)], gpu=False)
    assert code == 0 and report['device'] is None
    assert 'There is no GPU' in capsys.readouterr().out
    (tests, environment), (cases, _) = commands
    assert '-k' in tests and environment['GVHMR_CUDA_DRY_RUN'] == '1'
    assert cases[cases.index('--device') + 1] == 'cpu'


def test_a_command_out_of_time_is_ended(tmp_path, capsys):
    with open(tmp_path / 'log', 'w') as log:
        gpu_check._run(['sleep', '30'], log, 1, {'PATH': '/usr/bin:/bin'})
    assert 'ended after 1 s' in capsys.readouterr().out
