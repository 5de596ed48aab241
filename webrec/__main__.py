"""`python -m webrec` is `webrec`."""

from webrec.cli import main

if __name__ == "__main__":
    main(prog_name="webrec")
