"""Choices that calls and the command line share; standard library only, so that help is fast."""

SPLITS = ('train', 'val', 'test')
"""Splits that have a dataloader, ``train_dataloader`` and so on."""
FLOOR_CHOICES = ('steps', 'flat', 'free')
"""What is known of the floor, the default first."""
