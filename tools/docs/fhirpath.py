"""Is what reads a FHIR record FHIRPath that fhirpathpy runs? tools/check needs OPA alone, which cannot parse it."""

import re
import sys

from antlr4 import CommonTokenStream, InputStream
from antlr4.error.ErrorListener import ErrorListener
from fhirpathpy.engine.invocations import invocation_registry
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser

from tools.docs.document import File, Json


class Strict(ErrorListener):  # type: ignore[misc]
    """Where fhirpathpy would mend what it cannot parse, and go on."""

    def syntaxError(self, recognizer: object, symbol: object, line: int, column: int, message: str, e: object) -> None:
        raise ValueError(f"at {column}, {message}")


def parse_fhirpath(expression: str) -> None:
    """Raises `ValueError` for what is no FHIRPath, or calls what fhirpathpy does not have."""
    lexer = FHIRPathLexer(InputStream(expression))
    parser = FHIRPathParser(CommonTokenStream(lexer))
    for part in (lexer, parser):
        part.removeErrorListeners()
        part.addErrorListener(Strict())
    parser.entireExpression()
    for function in re.findall(r"(\w+)\(", re.sub(r"'(?:[^'\\]|\\.)*'", "", expression)):
        if function not in invocation_registry:
            raise ValueError(f"there is no function {function}")


def check_fhirpath(files: list[File], catalogue: Json) -> None:
    """tools/check needs OPA alone, and OPA cannot parse it."""
    named = {tuple(file.path[1:]): file.name for file in files}
    found = [
        (named["fhir",], kind, test["where"])
        for kind, resource in catalogue["fhir"]["resources"].items()
        for test in [{"where": resource.get("code", "true")}, *resource["stands"]]
    ]
    found += [
        (named["records", entry["document"], held["version"]], fact, rule[part])
        for entry in catalogue["documents"]
        for held in entry["versions"]
        for fact, rules in held["record"].items()
        for rule in rules
        for part in ("where", "read")
        if part in rule
    ]
    for file, of, expression in found:
        try:
            parse_fhirpath(expression)
        except ValueError as error:
            sys.exit(f"{file}: {of} is read by what is no FHIRPath, {error}: {expression}")
