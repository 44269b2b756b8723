"""Where data are: tables, files, endpoints, and their two clocks."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pilotage.usecase.records.parts import Duration, Part, SourceColumn

SEEN_AT = "_seen_at"
"""Both clocks of a static source: when a sync first saw the row; rows of the first sync count as known since 1970."""

ROW = "_row"
"""The number of a row among all rows of its files, from 1: a key where no column tells rows apart."""


class Rest(Part, frozen=True, kw_only=True):
    """A REST endpoint that answers with lists of JSON objects, page by page."""

    url: Annotated[str, Meta(description="Its address, which may begin with env:NAME.")]
    items: Annotated[
        str, Meta(description="Where the list lies in an answer: data.rows; the answer itself if empty.")
    ] = ""
    headers: Annotated[dict[str, str], Meta(description="Headers to send; values by reference: env:NAME.")] = {}
    paging: Annotated[
        Literal["link", "page", "offset", "cursor", "none"],
        Meta(description="How the next page is asked for: Link header, number, offset, cursor, or there is only one."),
    ] = "link"
    parameter: Annotated[str, Meta(description="Parameter that asks for a page; page, offset or cursor if empty.")] = ""
    cursor: Annotated[str, Meta(description="Where the next cursor lies in an answer: meta.next.")] = ""
    size: Annotated[int, Meta(ge=1, le=10_000, description="Rows asked for at a time.")] = 500
    size_parameter: Annotated[str, Meta(description="Parameter that says how many; none if empty.")] = "limit"
    since: Annotated[str, Meta(description="Parameter that takes the least known_at wanted; all rows if empty.")] = ""


class Source(Part, frozen=True, kw_only=True):
    """A table, files, a Delta table or an endpoint, with two clocks: when it happened, when it could be known."""

    database: Annotated[str, Meta(description="env:NAME of the variable that holds the database's address.")] = ""
    table: Annotated[str, Meta(description="The table or view, or schema.table.")] = ""
    files: Annotated[
        str,
        Meta(description="Parquet, CSV, JSON-lines or Excel: a pattern, local or s3://…; may begin with env:NAME."),
    ] = ""
    sheet: Annotated[str, Meta(description="The sheet of an Excel file; its first when empty.")] = ""
    encoding: Annotated[str, Meta(description="The encoding of CSV files; found when empty.")] = ""
    delimiter: Annotated[str, Meta(description="What separates the fields of CSV files; found when empty.")] = ""
    decimal: Annotated[
        Literal["", ",", "."],
        Meta(
            description="How texts write the fraction of a number: ',' reads 1.234,56, '.' reads 1,234.56; when empty, "
            "only plain numbers such as 1234.56 are numbers."
        ),
    ] = ""
    missing: Annotated[
        list[str],
        Meta(
            description="Texts such as NA that say that a number, date or flag is missing; columns of text keep them."
        ),
    ] = []
    delta: Annotated[str, Meta(description="A Delta table's folder, local or s3://…; may begin with env:NAME.")] = ""
    rest: Annotated[Rest | None, Meta(description="A REST endpoint.")] = None
    key: Annotated[list[SourceColumn], Meta(description="Columns that tell rows apart.")]
    event_time: Annotated[str, Meta(description="Column: when it happened.")] = ""
    known_at: Annotated[str, Meta(description="Column: when it could first be known.")] = ""
    static: Annotated[
        bool, Meta(description="In place of clocks: a list such as airports, whose rows always held; changes are seen.")
    ] = False
    late: Annotated[
        Duration,
        Meta(description="How long after its known_at a row may be written; so far each sync looks back."),
    ] = "1 day"
    deleted: Annotated[str, Meta(description="Expression: true in a row that says that its key is gone.")] = ""
    deletions: Annotated[
        Literal["ignored", "compared"],
        Meta(description="compared: each sync reads all keys; those that are gone count as deleted from then on."),
    ] = "ignored"
    refresh: Annotated[Duration | None, Meta(description="How often it is read; as the server is set if absent.")] = (
        None
    )
    timeout: Annotated[Duration, Meta(description="How long one query may take.")] = "10 minutes"
    rows_max: Annotated[int, Meta(ge=1, description="How many rows one query may give.")] = 100_000_000
    accept_writer: Annotated[
        bool, Meta(description="Read it even as a database user that could write; such a user is refused otherwise.")
    ] = False
    system: Annotated[str, Meta(description="The system that holds it, in words.")] = ""
    owner: Annotated[str, Meta(description="Who answers for this source; data_owner when empty.")] = ""

    @property
    def is_static(self) -> bool:
        return self.known_at == SEEN_AT
