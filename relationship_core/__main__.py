"""``python -m relationship_core`` is ``relate``."""

from relationship_core.cli import main

if __name__ == "__main__":
    main()
