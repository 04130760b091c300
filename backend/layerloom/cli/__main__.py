"""``python -m layerloom.cli``."""

from layerloom.cli import main

main()
