"""
The process that copies rows of MySQL and MariaDB into a Parquet file; it runs by itself, as a file.

It imports nothing of this package, is told what to do on its standard input, and answers with an exit code and the server's words
on its standard output, which :mod:`mysql` reads and shows to nobody as they are.
"""

from __future__ import annotations

import json
import sys

import connectorx
import pyarrow.parquet

BATCH_ROWS = 50_000


def transfer(address: str, settings: list[str], query: str, path: str) -> None:
    """
    Copy the rows of a query into a file.

    Parameters
    ----------
    address : str
        As connectorx understands it.
    settings : list of str
        Statements that the session begins with.
    query : str
        What to read.
    path : str
        Where to.
    """
    batches = connectorx.read_sql(
        address, query, return_type="arrow_stream", batch_size=BATCH_ROWS, pre_execution_query=settings
    )
    with pyarrow.parquet.ParquetWriter(path, batches.schema, compression="zstd", use_dictionary=False) as writer:
        for batch in batches:
            writer.write_batch(batch)


if __name__ == "__main__":
    try:
        transfer(**json.load(sys.stdin))
    except BaseException as error:  # noqa: BLE001 - a panic of connectorx is no Exception
        sys.stdout.write(str(error))
        sys.exit(1)
