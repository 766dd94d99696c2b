"""`python -m argosy`: the same as the command `argosy`."""

from argosy.cli.main import main

if __name__ == "__main__":
    main()
