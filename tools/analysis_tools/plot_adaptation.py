"""Plot the curves of a training run: losses per domain, selection, gradients, validation."""

import argparse
from pathlib import Path

from gvhmr_da_mm.cli.command_line import report_errors


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work_dir', help='work folder of the run')
    parser.add_argument('--out', help='folder for adaptation.png; defaults to the work folder')
    parser.add_argument(
        '--last', action='store_true', help='the last run only, not those it was resumed from'
    )
    return parser.parse_args()


@report_errors
def main() -> None:
    """Read the logs and write the figure."""
    args = parse_args()
    # After the command line was read: PyTorch and Matplotlib take seconds to import.
    from gvhmr_da_mm.visualization.adaptation_curves import plot_adaptation
    from gvhmr_da_mm.visualization.training_log import find_logs, read_training_log

    logs = find_logs(args.work_dir)
    logs = logs[-1:] if args.last else logs
    path = Path(args.out or args.work_dir) / 'adaptation.png'
    title = Path(args.work_dir).resolve().name
    print(plot_adaptation(read_training_log(logs), path, title))


if __name__ == '__main__':
    main()
