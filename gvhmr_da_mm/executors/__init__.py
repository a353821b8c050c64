"""Tasks in processes, of this machine or of a Dask cluster."""

from .run_tasks import check_executor, run_tasks

__all__ = ['check_executor', 'run_tasks']
