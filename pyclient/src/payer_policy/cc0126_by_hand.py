"""What is said of the facts of CC-0126 by hand, beside what is made from the facts of its versions."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from payer_policy.runtime.errors import InvalidValue
from payer_policy.runtime.facts import Quantity

__all__ = ["mrd"]


def mrd(value: float | Decimal, unit: Literal["percent", "fraction"]) -> float:
    """Minimal residual disease as `mrd_percent` wants it, exact in decimals: `mrd(0.001, "fraction")` is 0.1.

    It looks at the range, as `Quantity` does not, since a fraction taken for percent decides II.C. Raises
    `InvalidValue` for another unit, no number, or less than nothing or more than all.
    """
    if unit not in ("percent", "fraction"):
        raise InvalidValue("the unit of mrd must be percent or fraction")
    percent = Quantity(value, unit).into("percent", "mrd")
    if not isinstance(percent, float) or not 0 <= percent <= 100:
        raise InvalidValue(f"mrd must be from 0 to {100 if unit == 'percent' else 1} as a {unit}")
    return percent
