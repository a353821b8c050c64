"""Export a predicted sequence: BVH (skeleton), GLB (skinned mesh) or npz (SMPL-X parameters)."""

import argparse
from pathlib import Path

import torch

from gvhmr_da_mm.body_models import get_body_model, make_body_rig
from gvhmr_da_mm.cli.command_line import report_errors
from gvhmr_da_mm.core.errors import ConfigError
from gvhmr_da_mm.export import (
    mean_betas,
    predicted_motion,
    write_bvh,
    write_glb,
    write_smplx_npz,
)
from gvhmr_da_mm.structures import read_motion_dump


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('dump', help='npz file of a sequence, as tools/test.py --dump writes it')
    parser.add_argument('--format', choices=['bvh', 'glb', 'npz'], default='bvh')
    parser.add_argument(
        '--out', help='the file; defaults to <sequence>.<format> in the current folder'
    )
    parser.add_argument(
        '--space', choices=['world', 'camera'], default='world', help='the world is y up'
    )
    parser.add_argument('--data-root', help='folder of the body models; only glb needs it')
    return parser.parse_args()


@report_errors
def main() -> None:
    """Read the sequence and write the file."""
    args = parse_args()
    dump = read_motion_dump(args.dump)
    default = f'{Path(args.dump).stem}_smplx.npz' if args.format == 'npz' else None
    path = Path(args.out or default or f'{Path(args.dump).stem}.{args.format}')
    if path.resolve() == Path(args.dump).resolve():
        raise ConfigError(f'`--out {path}` is the dump itself: choose another name')
    if args.format == 'npz':
        write_smplx_npz(path, dump, args.space)
    elif args.format == 'bvh':
        write_bvh(path, predicted_motion(dump, args.space))
    else:
        body = get_body_model('smplx', data_root=args.data_root)
        betas = torch.from_numpy(mean_betas(dump)).float()
        write_glb(path, predicted_motion(dump, args.space), make_body_rig(body, betas))
    print(path)


if __name__ == '__main__':
    main()
