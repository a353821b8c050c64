"""Score predictions that tools/test.py --dump wrote, without the model and the datasets.

The metrics are those of the config's test_evaluator; only the body models are read.
"""

import argparse
from pathlib import Path

from gvhmr_da_mm.cli.command_line import ConfigOptions, report_errors
from gvhmr_da_mm.core.errors import DataError


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('dump', help='folder that tools/test.py --dump wrote')
    parser.add_argument(
        '--out', help='folder for results.json and results.csv; defaults to that of the dump'
    )
    parser.add_argument('--data-root', help='folder of the body models')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='override fields of the config, e.g. test_evaluator.0.compat=published',
    )
    return parser.parse_args()


@report_errors
def main() -> None:
    """Score the dump and print the table."""
    args = parse_args()
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from mmengine.registry import init_default_scope

    from gvhmr_da_mm.apis import check_files, load_config
    from gvhmr_da_mm.cli.save_results import save_results
    from gvhmr_da_mm.evaluation import evaluate_dump

    config = load_config(args.config, args.cfg_options, args.data_root)
    init_default_scope(config.get('default_scope', 'gvhmr_da_mm'))
    check_files(config, 'test_evaluator')
    evaluators = config.test_evaluator
    evaluators = [evaluators] if isinstance(evaluators, dict) else list(evaluators)
    results, metrics, meta = evaluate_dump(evaluators, args.dump)
    if not results:
        raise DataError(
            f'{args.dump} should hold labelled sequences for the metrics of `test_evaluator`, got '
            'none: dump a test set with labels, or choose the config it was made with'
        )
    save_results(results, metrics, Path(args.out or args.dump), bool(meta.get('transductive')))


if __name__ == '__main__':
    main()
