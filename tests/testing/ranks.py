"""Processes that train together, or that should have used no threads."""

import multiprocessing
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch.multiprocessing as mp

PRELOADED = ('gvhmr_da_mm.models', 'gvhmr_da_mm.engine', 'tests.testing')


def start_fork_server() -> bool:
    """Let a process import what takes seconds, and use no threads, so that others are its forks.

    Returns:
        bool: Whether this system has such processes.
    """
    if 'forkserver' not in multiprocessing.get_all_start_methods():
        return False
    from multiprocessing import forkserver

    multiprocessing.set_forkserver_preload(list(PRELOADED))
    forkserver.ensure_running()
    return True


def run_ranks(function: Callable, *args: Any, world_size: int = 2) -> None:
    """Call ``function(rank, *args)`` in processes of their own, and wait for them.

    Where there is one they are forked from that of :func:`start_fork_server`.

    Args:
        function (Callable): A function of a module.
        args (Any): Can be pickled.
        world_size (int): Number of processes. Defaults to 2.

    Raises:
        ProcessRaisedException: If it raises.
    """
    method = 'spawn'
    if start_fork_server():
        method = 'forkserver'
    mp.start_processes(function, args, nprocs=world_size, start_method=method)


def print_to(path: Path) -> None:
    """Append to a file what this process and those that it starts print from now on."""
    with open(path, 'a') as output:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(output.fileno(), stream.fileno())


def free_port() -> str:
    """Return a port of this machine at which nobody listens."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return str(free.getsockname()[1])
