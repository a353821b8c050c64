"""Everything that only a GPU can show, as one command that ends within six minutes.

    python benchmarks/gpu_check.py [--out DIR]

Runs the tests marked `cuda`, then the benchmarks beside the plain references, and writes
`gpu_check.json` and `gpu_check.log`. Without a GPU some of both run small on the CPU.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import torch

ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 350
TESTS_S = 230
"""Of these at most; what is left is for the benchmarks."""
CASES = (
    'supervised_step_64_fast,supervised_step_64,adaptation_step_64,recorded_step_128,inference_120,'
    'inference_4000,inference_16000'
)
DRY_RUN_CASES = 'rollout_4000'
DRY_RUN_TESTS = 'forward or metrics or refiner'


def main() -> int:
    """Run from the command line; return the exit code, 1 if a test failed or a case has no time."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--out', type=Path, default=ROOT / 'work_dirs' / 'gpu_check')
    out = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    begin, has_gpu = time.monotonic(), torch.cuda.is_available()
    if not has_gpu:
        print('There is no GPU: a dry run on the CPU. It shows that this script works, no more.')
    report = dict(
        device=torch.cuda.get_device_name() if has_gpu else None,
        torch=torch.__version__,
        cuda=torch.version.cuda,
        python=platform.python_version(),
    )
    with open(out / 'gpu_check.log', 'w', encoding='utf-8') as log:
        report['tests'] = run_tests(out, log, has_gpu)
        left = LIMIT_S - (time.monotonic() - begin)
        report['benchmarks'] = run_benchmarks(out, log, has_gpu, left)
    report['seconds'] = round(time.monotonic() - begin, 1)
    path = out / 'gpu_check.json'
    path.write_text(json.dumps(report, indent=1) + '\n', encoding='utf-8')
    failed = [test['name'] for test in report['tests'] if test['result'] in ('failure', 'error')]
    untimed = [row['case'] for row in report['benchmarks'] if row['ours_s'] is None]
    print(f'{len(report["tests"])} tests, failed: {", ".join(failed) or "none"}')
    print(f'{len(report["benchmarks"])} cases, without a time: {", ".join(untimed) or "none"}')
    print(f'{path} and gpu_check.log, {report["seconds"]:.0f} s')
    ran = report['tests'] and report['benchmarks']
    return int(bool(failed or untimed or not ran))


def run_tests(out: Path, log, has_gpu: bool) -> list[dict]:
    """Run the tests marked `cuda`; return name, result and seconds of each."""
    results = out / 'tests.xml'
    results.unlink(missing_ok=True)
    command = [sys.executable, '-m', 'pytest', 'tests/cuda', '-m', 'cuda', '-v']
    command += ['-p', 'no:cacheprovider', f'--junitxml={results}']
    environment = dict(os.environ)
    if not has_gpu:
        command += ['-k', DRY_RUN_TESTS]
        environment['GVHMR_CUDA_DRY_RUN'] = '1'
    _run(command, log, TESTS_S, environment)
    if not results.exists():  # Out of time: pytest writes it at its end.
        return [dict(name='pytest', result='error', seconds=TESTS_S)]
    cases = ElementTree.parse(results).getroot().iter('testcase')
    return [
        dict(
            name=case.get('name'),
            result=next((child.tag for child in case if child.tag != 'system-out'), 'passed'),
            seconds=float(case.get('time')),
        )
        for case in cases
    ]


def run_benchmarks(out: Path, log, has_gpu: bool, seconds: float) -> list[dict]:
    """Run the cases that a GPU is judged by; return their rows, of those that were in time."""
    rows = out / 'benchmarks.json'
    rows.unlink(missing_ok=True)
    device, cases = ('cuda', CASES) if has_gpu else ('cpu', DRY_RUN_CASES)
    command = [sys.executable, ROOT / 'benchmarks' / 'run.py', '--device', device, '--quick']
    _run([*command, '--only', cases, '--json', rows], log, seconds, dict(os.environ))
    return json.loads(rows.read_text(encoding='utf-8')) if rows.exists() else []


def _run(command: list, log, seconds: float, environment: dict) -> None:
    """Run a command, to the log and within a time."""
    words = [str(word) for word in command]
    print(' '.join(words), flush=True)
    environment['PYTHONUNBUFFERED'] = '1'
    log.write(f'$ {" ".join(words)}\n')
    log.flush()
    try:
        subprocess.run(
            words, cwd=ROOT, env=environment, timeout=max(seconds, 1), check=False,
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        log.write(f'\nended after {seconds:.0f} s\n')
        print(f'ended after {seconds:.0f} s')


if __name__ == '__main__':
    sys.exit(main())
