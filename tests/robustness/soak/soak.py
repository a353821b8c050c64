"""Runs that are interrupted again and again, and a run that is not."""

import os
import random
import resource
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Union

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from gvhmr_da_mm.core.errors import GVHMRError
from gvhmr_da_mm.engine.stop_signals import EXIT_RESUMABLE
from tests.robustness.soak.compare_runs import differences, final_state, logged_values
from tests.robustness.soak.interruption import Interruption, draw
from tests.testing.tiny_run import isolated_registry

PathLike = Union[str, Path]
TIMEOUT = 300.0
"""Seconds after which a process counts as hanging."""
SECONDS = 'seconds.txt'
"""Where a run notes how much of the processor it had used when it began, and at its end."""
MOST_KILLS = 12
"""Interruptions of one run; then it may end."""
ERROR, CRASH, INTERRUPTED = 2, 1, 130
_WORKERS_EVERY = 8


@dataclass
class Outcome:
    """What became of one run.

    Args:
        name (str): Its folder.
        kills (list[Interruption]): What interrupted it.
        differences (list[str]): What differs from the run that was not.
    """

    name: str
    kills: list[Interruption] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


class Soak:
    """Interrupt runs of one config, have them go on, and compare how they end.

    Processes are forked from this one, which has imported everything by then: a start takes a
    fraction of a second. Do not train in it.

    Args:
        make_config (Callable): Called with ``work_dir`` and ``num_workers``; returns a config.
        work_dir (str | Path): Where runs are kept; those without differences are removed.
        seed (int): Of the interruptions. Defaults to 0.

    Raises:
        GVHMRError: If the run without interruptions fails.
    """

    def __init__(
        self, make_config: Callable[..., Config], work_dir: PathLike, seed: int = 0
    ) -> None:
        self.make_config = make_config
        self.work_dir = Path(work_dir)
        self.seed = seed
        self._warm_up()
        reference = self.work_dir / 'reference'
        shutil.rmtree(reference, ignore_errors=True)
        code = self._run(reference, num_workers=0)
        if code:
            raise GVHMRError(f'the run without interruptions ended with {code}: {_tail(reference)}')
        self.start_seconds, self.seconds = map(float, (reference / SECONDS).read_text().split())
        self.state, self.log = final_state(reference), logged_values(reference)
        self.steps = int(self.state['meta.iter'])

    def _warm_up(self) -> None:
        """Have files read once, and leave out what takes long and changes nothing."""
        torch.set_num_threads(1)
        config = self.make_config(self.work_dir / 'warm_up', num_workers=0)
        text = config.pretty_text
        # Formatting it takes longer than an iteration, and every checkpoint has it.
        Config.pretty_text = property(lambda self: text)
        Runner._log_env = lambda self, env_cfg: None
        with isolated_registry():
            Runner.from_cfg(config).train_loop  # noqa: B018
        shutil.rmtree(self.work_dir / 'warm_up')

    def outcomes(self, kills: int, first: int = 0) -> Iterator[Outcome]:
        """Yield runs as they end, until there were enough interruptions.

        Args:
            kills (int): Interruptions in all.
            first (int): Number of the first run. Defaults to 0.
        """
        number, total = first, 0
        while total < kills:
            outcome = self.run(f'run_{number:03}', min(kills - total, MOST_KILLS), number)
            total += len(outcome.kills)
            number += 1
            yield outcome

    def run(self, name: str, most: int, number: int = 0) -> Outcome:
        """Interrupt one run at most so many times, and compare its end."""
        rng = random.Random(f'{self.seed} {number}')
        plan = (draw(rng, self.start_seconds, self.seconds, self.steps) for _ in range(most))
        return self.run_with(name, plan, rng)

    def run_with(
        self, name: str, plan: Iterable[Interruption], rng: Optional[random.Random] = None
    ) -> Outcome:
        """Carry out given interruptions of one run, and compare its end.

        Args:
            name (str): Name of its folder.
            plan (Iterable[Interruption]): What happens to its processes, one after another. The
                rest is left out if the run is complete before that.
            rng (random.Random, optional): Chooses which processes load data in workers. Defaults
                to None: none does.
        """
        folder, outcome, complete = self.work_dir / name, Outcome(name), False
        shutil.rmtree(folder, ignore_errors=True)
        for interruption in plan:
            workers = int(rng is not None and rng.randrange(_WORKERS_EVERY) == 0)
            code = self._run(folder, workers, interruption)
            if code == 0:
                complete = True
                break
            outcome.kills.append(interruption)
            if not _is_expected(code, interruption):
                outcome.differences = [f'{interruption} ended with {code}: {_tail(folder)}']
                return outcome
        if not complete:
            code = self._run(folder, num_workers=0)
            if code:
                outcome.differences = [f'could not be resumed ({code}): {_tail(folder)}']
                return outcome
        outcome.differences = self._compare(folder)
        if not outcome.differences:
            shutil.rmtree(folder)
        return outcome

    def _compare(self, folder: Path) -> list[str]:
        found = differences(self.state, final_state(folder))
        found += [f'log of {step}' for step in differences(self.log, logged_values(folder))]
        found += [f'{path.name} was left behind' for path in folder.glob('.*.partial')]
        return found

    # -- processes --------------------------------------------------------------------------------

    def _run(
        self, folder: Path, num_workers: int, interruption: Optional[Interruption] = None
    ) -> int:
        """Run, or go on, in a process of its own; return its exit code, or minus the signal."""
        folder.mkdir(parents=True, exist_ok=True)
        process = os.fork()
        if not process:
            _become(folder, lambda: self._train(folder, num_workers, interruption))
        sent, began = interruption is None or interruption.delay is None, time.monotonic()
        try:
            while True:
                done, status = os.waitpid(process, os.WNOHANG)
                if done:
                    return os.waitstatus_to_exitcode(status)
                if not sent and _cpu_seconds(process) > interruption.delay:
                    os.kill(process, getattr(signal, interruption.signal))
                    sent = True
                if time.monotonic() - began > TIMEOUT:
                    raise GVHMRError(f'{folder.name} hangs ({interruption}): {_tail(folder)}')
                time.sleep(0.005)
        except BaseException:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            raise

    def _train(self, folder: Path, num_workers: int, interruption: Optional[Interruption]) -> None:
        config = self.make_config(folder, num_workers=num_workers)
        config.resume = True
        runner = Runner.from_cfg(config)
        if interruption is not None:
            interruption.prepare()
        started = time.process_time()
        runner.train()
        (folder / SECONDS).write_text(f'{started} {time.process_time()}')


def _become(folder: Path, work: Callable[[], None]) -> None:
    """Turn the forked process into one that works and exits as a tool would."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    log = os.open(folder / 'output.txt', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    code = CRASH
    try:
        work()
        code = 0
    except SystemExit as end:
        code = end.code
    except GVHMRError:
        traceback.print_exc()
        code = ERROR
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _cpu_seconds(process: int) -> float:
    """Return what a child of this process has used, which other work does not change."""
    fields = Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def _is_expected(code: int, interruption: Interruption) -> bool:
    """Tell whether a process may end like this."""
    number = getattr(signal, interruption.signal)
    allowed = {-number}
    if number == signal.SIGINT:
        allowed.add(INTERRUPTED)
    if number != signal.SIGKILL:
        allowed.add(EXIT_RESUMABLE)
    if interruption.kind in ('full_disk', 'small_files'):
        allowed.add(ERROR)
    return code in allowed


def _tail(folder: Path) -> str:
    """Return the last lines that the processes of a run wrote."""
    path = folder / 'output.txt'
    return '\n'.join(path.read_text(errors='replace').splitlines()[-12:]) if path.is_file() else ''
