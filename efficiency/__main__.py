"""`python -m efficiency`."""

from efficiency.cli import main

if __name__ == "__main__":
    main()
