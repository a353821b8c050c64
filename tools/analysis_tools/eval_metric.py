"""Score predictions that were saved, without a model: a dump, or the result of any method.

With CONFIG: a dump of tools/test.py --dump, by the metrics of its test_evaluator; of the data only
the body models are read. With LABELS: the result of any method. Its people are matched to the
labelled ones by their boxes; the coverage, the share of the labelled frames in which they were
found, is printed beside the errors.
"""

import argparse
from pathlib import Path

from gvhmr_da_mm.cli.command_line import ConfigOptions, report_errors
from gvhmr_da_mm.core.errors import ConfigError, DataError, list_some

CONFIG_ENDINGS = ('.py', '.json', '.yaml', '.yml')
DUMP_OPTIONS = ('cfg_options',)
RESULT_OPTIONS = ('protocol', 'sequence', 'fps', 'up', 'min_overlap', 'page')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'reference',
        metavar='CONFIG|LABELS',
        help='config file; or labels: a sequence pack, or a folder of published files, such as '
        'data/EMDB/hmr4d_support',
    )
    parser.add_argument(
        'predictions',
        metavar='DUMP|RESULT',
        help="folder of a dump; or hmr4d_results.pt, WHAM's pkl, TRAM's npy or folder, AMASS' npz, "
        'BVH, or a folder of results that are named as the videos or sequences',
    )
    parser.add_argument(
        '--out',
        metavar='DIR',
        help='folder for results.json and results.csv (default: that of the dump; none of results)',
    )
    parser.add_argument('--data-root', help='folder of the body models')
    dump = parser.add_argument_group('with CONFIG')
    dump.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='override fields of the config, e.g. test_evaluator.0.compat=published',
    )
    result = parser.add_argument_group('with LABELS')
    result.add_argument(
        '--protocol',
        nargs='+',
        metavar='NAME',
        help='default: those of the data set that are end to end, such as emdb1_e2e',
    )
    result.add_argument(
        '--sequence', nargs='+', metavar='NAME', help='score these only, e.g. for a single result'
    )
    result.add_argument('--fps', type=float, help='frames per second of the result, if not stored')
    result.add_argument('--up', help='up axis of its world, if not that of the format, e.g. +z')
    result.add_argument(
        '--min-overlap', type=float, help='least overlap of the boxes (default: 0.5)'
    )
    result.add_argument('--page', metavar='FILE', help='.html: page of each labelled person')
    return parser.parse_args()


def is_config(reference: str) -> bool:
    """Return whether the reference is a config, not labels."""
    path = Path(reference)
    return path.suffix in CONFIG_ENDINGS and not path.is_dir()


def check_args(args: argparse.Namespace) -> None:
    """Refuse values that are impossible and options of the other kind of reference."""
    given, kind, others = 'a config', 'labels', RESULT_OPTIONS
    if not is_config(args.reference):
        given, kind, others = 'labels', 'a config', DUMP_OPTIONS
    for name in others:
        if getattr(args, name) is not None:
            raise ConfigError(
                f'`--{name.replace("_", "-")}` is for {kind}, and {args.reference!r} is read as '
                f'{given}: leave it out'
            )
    if args.min_overlap is not None and not 0 < args.min_overlap <= 1:
        raise ConfigError(
            f'`--min-overlap` should be above 0 and at most 1, got {args.min_overlap}'
        )
    if args.page and not args.page.endswith('.html'):
        raise ConfigError(f'`--page` should end in .html, got {args.page!r}')


def score_dump(args: argparse.Namespace) -> None:
    """Score a dump and print the table."""
    # After the command line was read: PyTorch and MMEngine take seconds to import.
    from mmengine.registry import init_default_scope

    from gvhmr_da_mm.apis import check_files, load_config
    from gvhmr_da_mm.cli.save_results import save_results
    from gvhmr_da_mm.evaluation import evaluate_dump

    config = load_config(args.reference, args.cfg_options, args.data_root)
    init_default_scope(config.get('default_scope', 'gvhmr_da_mm'))
    check_files(config, 'test_evaluator')
    evaluators = config.test_evaluator
    evaluators = [evaluators] if isinstance(evaluators, dict) else list(evaluators)
    results, metrics, meta = evaluate_dump(evaluators, args.predictions)
    if not results:
        raise DataError(
            f'{args.predictions} should hold labelled sequences for the metrics of '
            '`test_evaluator`, got none: dump a test set with labels, or choose the config it was '
            'made with'
        )
    out = Path(args.out or args.predictions)
    save_results(results, metrics, out, bool(meta.get('transductive')))


def score_result(args: argparse.Namespace) -> None:
    """Score the result of any method, print the table and write the pages."""
    from gvhmr_da_mm.apis.scoring import score_results, write_score_pages
    from gvhmr_da_mm.cli.save_results import save_results

    options = dict(sequences=args.sequence, data_root=args.data_root, fps=args.fps, up=args.up)
    if args.min_overlap is not None:
        options['min_overlap'] = args.min_overlap
    scores = score_results(args.predictions, args.reference, args.protocol, **options)
    save_results(scores.results, scores.metrics, args.out)
    if scores.lost_videos:
        print(
            f'Note: no result for {len(scores.lost_videos)} video(s), whose people count as lost: '
            f'{list_some(scores.lost_videos)}'
        )
    if args.page:
        for page in write_score_pages(args.page, args.predictions, args.reference, **options):
            print(page)


@report_errors
def main() -> None:
    """Score what is given."""
    args = parse_args()
    check_args(args)
    run = score_dump if is_config(args.reference) else score_result
    run(args)


if __name__ == '__main__':
    main()
