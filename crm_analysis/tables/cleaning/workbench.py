"""
The workbench: where the stages of one table are written, and taken away again.

What is written belongs in :mod:`crm_analysis.tables.cleaning.stages` and in the modules of the rules.
"""

from __future__ import annotations

import duckdb

from crm_analysis.tables.engine import identifier


class Workbench:
    """
    Where the stages of one table are written, and taken away again.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A canonical table; names begin with it.
    schema : str
        Where stages stand.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str, schema: str) -> None:
        self.connection = connection
        self._prefix, self._schema = table, schema
        self._made: dict[str, str] = {}
        taken = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = $schema", {"schema": schema}
        ).fetchall()
        self._taken = {str(row[0]) for row in taken}

    def write(self, label: str, query: str, *, kind: str = "TABLE") -> str:
        """
        Write a query's rows, or a view of them.

        Parameters
        ----------
        label : str
            What it is; part of its name.
        query : str
            SQL.
        kind : {"TABLE", "VIEW"}
            A view where reading it again costs little.

        Returns
        -------
        str
            Its quoted name.
        """
        number = 1
        while (name := f"{self._prefix}__{number}_{label}") in self._taken:
            number += 1
        quoted = f"{identifier(self._schema)}.{identifier(name)}"
        self.connection.execute(f"CREATE {kind} {quoted} AS {query}")
        self._taken.add(name)
        self._made[quoted] = kind
        return quoted

    def kind(self, relation: str) -> str | None:
        """
        Return what a relation was written as.

        Parameters
        ----------
        relation : str
            A quoted name.

        Returns
        -------
        str or None
            ``TABLE`` or ``VIEW``; None: it came from elsewhere.
        """
        return self._made.get(relation)

    def clear(self, *, but: str | None = None) -> None:
        """
        Drop what was written here.

        Parameters
        ----------
        but : str, optional
            What stays.
        """
        for name in [name for name in reversed(self._made) if name != but]:
            self.connection.execute(f"DROP {self._made.pop(name)} {name}")


def row_count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """
    Count the rows of a table.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        The catalogue.
    table : str
        A quoted name.

    Returns
    -------
    int
        Rows.
    """
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
