"""`python -m relsift`: the command line."""

from relsift.cli.main import main

if __name__ == "__main__":
    main()
