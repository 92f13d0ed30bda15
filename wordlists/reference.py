"""A slow, obvious reading of how the lists are used, for the tests and the
measurements of this folder. The engine is the crate; where the two differ on
text that this fold covers, one of them is wrong.

The fold here is Unicode's compatibility decomposition without combining marks,
case-folded, and then one substitution set. The engine's fold also reads
look-alikes from other scripts as the letters they resemble; no list needs that.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

SUBSTITUTIONS = {
    "none": str.maketrans({}),
    "entra": str.maketrans("01$@", "olsa"),
    # Classes of look-alikes, each merged into its first character.
    "leet": str.maketrans("0l1!|34@5$+789", "oiiiieaasst" "tbg"),
}


def fold(text: str, substitution: str = "entra") -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(
        c
        for c in unicodedata.normalize("NFKD", decomposed)
        if not unicodedata.combining(c)
    )
    return letters.translate(SUBSTITUTIONS[substitution])


class Terms:
    """Folded terms, and the three comparisons that the built-in lists serve.
    Passwords are given folded."""

    def __init__(self, terms: Iterable[str], substitution: str = "entra") -> None:
        self.terms = {fold(t, substitution) for t in terms} - {""}
        self.scored = {t for t in self.terms if len(t) >= 4}
        self.longest = max(map(len, self.terms), default=0)
        # Every term with one character left out, or one made a blank.
        self.shortened: set[str] = set()
        self.blanked: set[str] = set()
        for term in self.terms:
            for i in range(len(term)):
                self.shortened.add(term[:i] + term[i + 1 :])
                self.blanked.add(f"{term[:i]}\0{term[i + 1:]}")

    def score(self, password: str) -> int:
        """The cheapest covering: a term costs 1, any other character costs 1."""
        cost = [0]
        for end in range(1, len(password) + 1):
            cost.append(
                min(
                    [cost[end - 1] + 1]
                    + [
                        cost[start] + 1
                        for start in range(max(0, end - self.longest), end - 3)
                        if password[start:end] in self.scored
                    ]
                )
            )
        return cost[-1]

    def near(self, password: str) -> bool:
        """Within one insertion, deletion or substitution of a term."""
        return (
            password in self.terms
            or password in self.shortened
            or any(
                password[:i] + password[i + 1 :] in self.terms
                or f"{password[:i]}\0{password[i + 1:]}" in self.blanked
                for i in range(len(password))
            )
        )


class Banned:
    """The banned rule of the policy `entra`: base terms by score, at least 5,
    common passwords whole, both also near."""

    def __init__(
        self,
        base: Iterable[str],
        common: Iterable[str],
        substitution: str = "entra",
    ) -> None:
        self.substitution = substitution
        self.base = Terms(base, substitution)
        self.common = Terms(common, substitution)

    def refuses(self, password: str) -> bool:
        folded = fold(password, self.substitution)
        return (
            self.base.score(folded) < 5
            or self.base.near(folded)
            or self.common.near(folded)
        )
