"""``python -m saxinfer`` is the command line."""

from saxinfer.cli import main

if __name__ == "__main__":
    main()
