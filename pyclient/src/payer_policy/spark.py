"""Requests in a DataFrame of Spark, decided where its rows are, by the policy in process.

from payer_policy.spark import decide

claims = spark.read.parquet("claims")  # document, date_of_service, facts, and whatever else
decide(claims).write.parquet("decided")

The workers need this package with `[spark]`, and nothing else: the policy comes from the driver, by its content.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from inspect import signature

from payer_policy.runtime.documents import Documents
from payer_policy.runtime.embedded import EmbeddedPolicy, read_wasm
from payer_policy.runtime.errors import InvalidValue, MissingExtra, PolicyNotLoaded
from payer_policy.workshop.impact import Impact, Side

try:
    import pyarrow as pa
    from payer_policy.tables import (
        COMPARED,
        DECIDED,
        DECIDED_WHOLE,
        Facts,
        columns_read,
        decide_batches,
        decide_table,
        impact_batches,
    )
    from pyspark import SparkFiles
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql import functions as F
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
    from pyspark.sql.types import MapType, StructField, StructType
except ImportError as error:
    raise MissingExtra(f"DataFrames need pyspark: pip install 'payer-policy-client[spark]' ({error})") from None

Bundle = str | os.PathLike[str]

_KEY, _ANSWER = "payer_policy_key", "payer_policy_answer"
_OTHERS = "other documents"


def decide(
    df: DataFrame,
    *,
    facts: Facts = "facts",
    version: str | None = None,
    whole: bool = False,
    bundle: Bundle | None = None,
    distinct: bool = True,
) -> DataFrame:
    """`df` with the columns of a decision beside its own: see `payer_policy.tables.decide_table`.

    Requests that are equal are decided once and joined back, so `df` is read twice and must be the same each time, or
    the job fails; where hardly any are, `distinct=False` spares the shuffle, and only those of one batch of rows are.
    `bundle` is another policy than the one that this package ships. A decision depends on nothing but its row and the
    policy, so a task that is tried again or twice at once changes nothing.

    Raises `InvalidValue` and `PolicyNotLoaded` on the driver, before any row is read.
    """
    with EmbeddedPolicy(bundle) as policy:
        decide_table(policy, _none(df, facts), facts=facts)
    shipped = _Shipped.of(df.sparkSession, bundle)
    work = partial(_decide, shipped, facts, version, whole)
    return _beside(df, facts, work, DECIDED_WHOLE if whole else DECIDED, distinct)


def impact(
    df: DataFrame, document: str, old: Bundle, new: Bundle, *, facts: Facts = "facts", distinct: bool = True
) -> DataFrame:
    """`df` with what becomes of each request of a document beside it: see `payer_policy.tables.impact_table`.

    `old` and `new` are versions of the policy that this package ships, by their first day in force, or bundles.
    `summary` counts what comes of it. Raises as `decide` does.
    """
    with EmbeddedPolicy() as policy:  # the columns alone: there is no row
        decide_table(policy, _none(df, facts), facts=facts)
    before, after = (_ShippedSide.of(df.sparkSession, document, side) for side in (old, new))
    return _beside(df, facts, partial(_impact, document, before, after, facts), COMPARED, distinct)


def summary(compared: DataFrame, document: str) -> Impact:
    """What came of `impact`, counted, for `payer_policy.workshop.impact.page`. It names no request."""
    result = Impact(document)
    for row in compared.groupBy(*COMPARED.names).count().collect():
        if row.old_outcome is None:
            result.apart[_OTHERS] += row["count"]
            continue
        result.count(row.old_outcome, row.new_outcome, map(tuple, row.clauses), map(tuple, row.left_out), row["count"])
    return result


@dataclass(frozen=True)
class _Shipped:
    """A policy that travels to the workers as a file, once for an application, under the name of its content."""

    digest: str

    @classmethod
    def of(cls, spark: SparkSession, bundle: Bundle | None) -> _Shipped:
        with EmbeddedPolicy(bundle) as policy:
            shipped = cls(policy.health().revisions["policy.wasm"].removeprefix("sha256:"))
        folder = os.path.join(SparkFiles.getRootDirectory(), "payer-policy")  # goes with the application
        file = os.path.join(folder, shipped.name)
        if not os.path.exists(file):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            written = f"{file}.{os.getpid()}"
            with open(written, "wb") as opened:
                opened.write(read_wasm(bundle))
            os.replace(written, file)
        spark.sparkContext.addFile(file)  # does nothing the second time
        return shipped

    @property
    def name(self) -> str:
        return f"{self.digest}.wasm"

    def policy(self) -> EmbeddedPolicy:
        """On a worker, where it is loaded once for a process."""
        if self.digest not in _loaded:
            policy = EmbeddedPolicy(SparkFiles.get(self.name))
            if policy.health().revisions["policy.wasm"] != f"sha256:{self.digest}":
                raise PolicyNotLoaded("the policy is another on this worker than on the driver")
            _loaded[self.digest] = policy
        return _loaded[self.digest]


_loaded: dict[str, EmbeddedPolicy] = {}


@dataclass(frozen=True)
class _ShippedSide:
    shipped: _Shipped
    version: str | None

    @classmethod
    def of(cls, spark: SparkSession, document: str, name: Bundle) -> _ShippedSide:
        bundle = name if os.path.exists(name) else None
        version = os.fspath(name) if bundle is None else None
        with EmbeddedPolicy(bundle) as policy:
            try:
                Documents(policy).version(document, version)
            except InvalidValue as error:
                raise InvalidValue(f"{os.fspath(name)}: {error}") from None
        return cls(_Shipped.of(spark, bundle), version)

    def side(self) -> Side:
        return Side(self.shipped.policy(), self.version)


_Work = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]
"""Of a task, which has one core."""


def _decide(
    shipped: _Shipped, facts: Facts, version: str | None, whole: bool, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    return decide_batches(shipped.policy(), batches, facts=facts, version=version, whole=whole, in_flight=1)


def _impact(
    document: str, old: _ShippedSide, new: _ShippedSide, facts: Facts, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    return impact_batches(batches, document, old.side(), new.side(), facts=facts, in_flight=1)


def _none(df: DataFrame, facts: Facts) -> pa.Table:
    """No row, but every column that is read: what is wrong with these is said before a job begins."""
    if type(df).__module__.startswith("pyspark.sql.connect."):  # from Spark 4 on it is a DataFrame too
        raise InvalidValue(
            "df is of Spark Connect, which has no sparkContext to send the policy with: use a session without it"
            " (on Databricks, dedicated compute), or payer-policy batch on a file of Parquet"
        )
    if not isinstance(df, DataFrame):
        raise InvalidValue("df must be a DataFrame of Spark")
    names = columns_read(df.columns, facts)
    zone = {"timezone": "UTC"} if "timezone" in signature(to_arrow_schema).parameters else {}  # not in Spark 3.5
    return to_arrow_schema(StructType([field for field in df.schema if field.name in names]), **zone).empty_table()


def _beside(df: DataFrame, facts: Facts, work: _Work, result: pa.Schema, distinct: bool) -> DataFrame:
    taken = {name.lower(): name for name in df.columns}  # Spark tells no case apart
    for name in (*result.names, _KEY, _ANSWER):
        if name in taken:
            raise InvalidValue(f"the table has a column {taken[name]} already: rename it")
    fields = from_arrow_schema(result).fields
    if not distinct:
        return _mapped(df, work, fields)
    names = columns_read(df.columns, facts)
    asked = [F.col(f"`{name.replace('`', '``')}`") for name in names]
    # Nulls too: a map that names a fact without a value is no map without it. What is not UTF-8 is told apart by its
    # bytes alone; of a map Spark hashes the entries.
    text = F.to_json(F.struct(*asked), {"ignoreNullFields": "false"})
    hashed = [
        F.map_entries(column) if isinstance(df.schema[name].dataType, MapType) else column
        for name, column in zip(names, asked, strict=True)
    ]
    keyed = df.withColumn(_KEY, F.sha2(F.concat(text, F.xxhash64(*hashed).cast("string")), 256))
    once = keyed.groupBy(_KEY).agg(F.first(F.struct(*asked)).alias("asked")).select(_KEY, "asked.*")
    answered = _mapped(once, work, fields).select(_KEY, F.struct(*result.names).alias(_ANSWER))
    other = F.raise_error(F.lit("the table was another when it was read again: write it down first"))
    # A request that most rows share is one row of the right side, which Spark sends to all where it is small; where it
    # is not, its adaptive execution splits the partition.
    joined = keyed.join(answered, _KEY, "left").withColumn(_ANSWER, F.coalesce(_ANSWER, other))
    return joined.select("*", f"{_ANSWER}.*").drop(_KEY, _ANSWER)


def _mapped(df: DataFrame, work: _Work, fields: list[StructField]) -> DataFrame:
    """Of `mapInArrow` the columns have plain names: it looks them up by these, and finds none that has a dot, or that
    is there twice."""
    plain = df.toDF(*_plain(df.columns))
    mapped = plain.mapInArrow(partial(_named, df.columns, work), StructType([*plain.schema.fields, *fields]))
    return mapped.toDF(*df.columns, *(field.name for field in fields))


def _named(names: list[str], work: _Work, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in work(pa.RecordBatch.from_arrays(batch.columns, names=names) for batch in batches):
        yield pa.RecordBatch.from_arrays(batch.columns, names=[*_plain(names), *batch.schema.names[len(names) :]])


def _plain(names: list[str]) -> list[str]:
    return [f"c{number}" for number in range(len(names))]
