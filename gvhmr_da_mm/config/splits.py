"""Splits of a config; standard library only, as options of the command line name them."""

SPLITS = ('train', 'val', 'test')
"""Splits that have a dataloader, ``train_dataloader`` and so on."""
