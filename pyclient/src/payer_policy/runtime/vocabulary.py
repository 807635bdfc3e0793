"""Words of a sender turned into values of the contract: any case, synonyms, a suggestion for a slip of spelling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from payer_policy.runtime.errors import InvalidValue

_LONG = 6  # letters; shorter words are too close to one another: B and T, II and IV, DLBL and DLBCL, KMT2A and KMT2B


def choose(path: str, word: object, values: Iterable[str], synonyms: Mapping[str, str] | None = None) -> str:
    """The value that `word` means: one of `values` or a synonym of one, in any case, with spaces or hyphens.

    Raises `InvalidValue` with the path, all valid values, and the one of which `word` is a slip. Never with the word:
    it may be health data.
    """
    known = {_plain(value): value for value in values}
    meant = {_plain(name): value for name, value in (synonyms or {}).items()} | known
    plain = _plain(word) if isinstance(word, str) else ""
    if plain in meant:
        return meant[plain]
    slip = slip_of(plain, known)
    suggestion = f"; the nearest is {known[slip]}" if slip else ""
    raise InvalidValue(f"{path} must be one of {', '.join(sorted(known.values()))}{suggestion}")


def slip_of(word: str, names: Iterable[str]) -> str | None:
    """The one name of which `word` is a slip of spelling: of case, blanks or hyphens, or a letter in one of its longer
    words is wrong, missing, too many, or changed places with the next, and it is not the first.

    No more, since a wrong hint is worse than none: t_cell is near b_cell, and the names of other drugs, which are not
    in the list, are near those that are (afatinib and imatinib, prednisolone and prednisone). So are brand names, and
    by one letter (Epogin is another drug than Epogen): synonyms are never suggested.
    """
    plain = _plain(word)
    found = [name for name in names if plain == name or _is_slip(plain, name)]
    return found[0] if len(found) == 1 else None


def _is_slip(word: str, name: str) -> bool:
    ours, theirs = word.split("_"), name.split("_")
    if len(ours) != len(theirs):
        return False
    wrong = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    return len(wrong) == 1 and _one_letter(*wrong[0])


def _one_letter(word: str, name: str) -> bool:
    if min(len(word), len(name)) < _LONG - 1 or len(name) < _LONG or word[0] != name[0]:
        return False
    start = next((n for n, pair in enumerate(zip(word, name)) if pair[0] != pair[1]), min(len(word), len(name)))  # noqa: B905
    left, right = word[start:], name[start:]
    swapped = left[1::-1] + left[2:] if len(left) > 1 else left
    return left[1:] == right[1:] or left[1:] == right or left == right[1:] or swapped == right


def _plain(word: str) -> str:
    return "_".join(word.casefold().replace("-", " ").replace("_", " ").split())
