"""Second readings of the documents, each written from the document and the contract, sharing nothing with the Rego.

A module for each document, with a `Reading` for each of its versions; `decision` says what holds for all of them.
"""

import importlib
import pkgutil

from tests.readings.decision import Reading

READINGS: list[Reading] = [
    reading
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__) if info.name != "decision")
    for reading in importlib.import_module(f"{__name__}.{module}").READINGS
]
