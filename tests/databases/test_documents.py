"""
Documents become columns: nested names with dots, exact numbers, ids and times; faults have their own words.

The server is SecantusDB, which stands in for MongoDB: it speaks the same protocol to the same driver.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import bson
import pymongo
import pytest

from crm_analysis.errors import ParamsError, SourceSchemaError
from crm_analysis.tables.sources import documents

PURCHASES = [
    {
        "_id": bson.ObjectId("0123456789abcdef01234567"),
        "customer": {"id": "ann", "address": {"city": "Zürich", "zip": 8001}},
        "amount": bson.Decimal128("0.10"),
        "weight": 0.1,
        "pieces": 3,
        "large": bson.Int64(2**62),
        "at": datetime(2024, 1, 5, 10, 0, 0, 123000, tzinfo=UTC),
        "paid": True,
        "tags": ["a", 1, {"b": bson.Decimal128("2.50")}, None],
        "mixed": 1,
        "empty": {},
        "key": bson.Binary.from_uuid(uuid.UUID(int=5)),
        "raw": b"\x00\xff",
    },
    {
        "_id": bson.ObjectId("0123456789abcdef01234568"),
        "customer": {"id": 'bob "B"', "address": None},
        "amount": bson.Decimal128("1E+3"),
        "weight": float("inf"),
        "mixed": "two",
        "paid": False,
        "later": "new",
    },
    {"_id": bson.ObjectId("0123456789abcdef01234569"), "Customer": {"ID": "cid"}, "weight": 2, "mixed": None},
]


@pytest.fixture(scope="module")
def purchases(mongodb):
    with pymongo.MongoClient(mongodb.url) as client:
        client["crm"]["purchases"].insert_many(PURCHASES)
        client["crm"]["many"].insert_many([{"_id": i, "amount": i / 4} for i in range(5000)])
        client["crm"]["wide"].insert_one({f"name_{number}": 1 for number in range(50)})
        client["crm"]["twice"].insert_one({"Name": 1, "name": 2})
        client["crm"].create_collection("empty")
    return mongodb.url


def test_documents_are_flattened_exactly(reader, purchases):
    relation = reader.relation(purchases, table="purchases")
    assert reader.types_of(relation) == {
        "_id": "VARCHAR",
        "customer.id": "VARCHAR",
        "customer.address.city": "VARCHAR",
        "customer.address.zip": "BIGINT",
        "amount": "DECIMAL(18,2)",
        "weight": "DOUBLE",
        "pieces": "BIGINT",
        "large": "BIGINT",
        "at": "TIMESTAMP WITH TIME ZONE",
        "paid": "BOOLEAN",
        "tags": "VARCHAR",
        "mixed": "VARCHAR",
        "empty": "VARCHAR",
        "key": "VARCHAR",
        "raw": "VARCHAR",
        "customer.address": "VARCHAR",
        "later": "VARCHAR",
    }
    first, second, third = reader.rows(purchases, table="purchases")
    assert first == (
        "0123456789abcdef01234567",
        "ann",
        "Zürich",
        8001,
        Decimal("0.10"),
        0.1,
        3,
        2**62,
        "2024-01-05 10:00:00.123+00",
        True,
        '["a", 1, {"b": "2.50"}, null]',
        "1",
        "{}",
        "00000000-0000-0000-0000-000000000005",
        "00ff",
        None,
        None,
    )
    assert (second[1], second[4], second[5], second[11], second[16]) == (
        'bob "B"',
        Decimal("1000.00"),
        float("inf"),
        "two",
        "new",
    )
    assert third[1] == "cid"
    assert third[5] == 2.0
    total = f"SELECT sum(amount) FROM ({relation})"
    assert reader.catalogue.execute(total).fetchone() == (Decimal("1000.10"),)


def test_many_batches_give_every_document_once(reader, purchases, monkeypatch):
    monkeypatch.setattr(documents, "_BATCH_DOCUMENTS", 700)
    relation = reader.relation(purchases, table="many")
    assert len(list(reader.scratch.glob("*.parquet"))) == 8
    counted = reader.catalogue.execute(
        f"SELECT count(*), count(DISTINCT _id), sum(amount) FROM ({relation})"
    ).fetchone()
    assert counted == (5000, 5000, sum(range(5000)) / 4)


def test_a_query_is_left_to_the_caller(reader, purchases):
    relation = reader.relation(purchases, table="many", query="SELECT max(amount) FROM source")
    assert reader.catalogue.execute(f"SELECT count(*) FROM ({relation})").fetchone() == (5000,)


def test_what_is_no_collection_is_told(reader, purchases, monkeypatch):
    assert "Near to it: purchases." in reader.failure(purchases, table="purchase")
    assert "holds no documents" in reader.failure(purchases, table="empty")
    assert "names no collection" in reader.failure(purchases, ParamsError, query="SELECT 1")
    assert "has 'name' twice" in reader.failure(purchases, SourceSchemaError, table="twice")
    monkeypatch.setattr(documents, "MAX_COLUMNS", 20)
    assert "more than 20 different names" in reader.failure(purchases, SourceSchemaError, table="wide")


def test_a_server_is_told_from_its_neighbours_by_what_is_wrong(reader, purchases, unused_port):
    wrong = purchases.replace("p%40ss", "p%40ssword")
    assert "refuses this user with this password" in reader.failure(wrong, table="purchases")
    refused = re.sub(r":\d+/crm", f":{unused_port}/crm", purchases) + "&serverSelectionTimeoutMS=500"
    assert "cannot be reached in time" in reader.failure(refused, table="purchases")
    encrypted = purchases + "&tls=true&serverSelectionTimeoutMS=500"
    assert "cannot be reached in time" in reader.failure(encrypted, table="purchases")
    assert "names no database" in reader.failure(purchases.replace("/crm?", "/?"), ParamsError, table="purchases")
    assert "no address that MongoDB's driver reads" in reader.failure(purchases + "&tsl=true", ParamsError, table="t")


def test_a_server_that_dies_in_the_middle_leaves_nothing(reader, own_mongodb, monkeypatch):
    with pymongo.MongoClient(own_mongodb.url) as client:
        client["crm"]["lines"].insert_many([{"_id": i, "filler": "x" * 200} for i in range(4000)])
    read = documents._documents

    def killed_after_the_first_batch(collection, asked):
        for number, batch in enumerate(read(collection, asked)):
            if number == 1:
                own_mongodb.process.kill()
                own_mongodb.process.wait()
            yield batch

    monkeypatch.setattr(documents, "_BATCH_DOCUMENTS", 200)
    monkeypatch.setattr(documents, "_documents", killed_after_the_first_batch)
    told = reader.failure(f"{own_mongodb.url}&serverSelectionTimeoutMS=500", table="lines")
    assert "broke off while rows were read; nothing of them is used" in told


def test_a_collection_that_takes_too_long_is_left(reader, purchases, monkeypatch):
    moments = iter([0, 0.5, 2, 3])
    monkeypatch.setattr(documents.time, "monotonic", lambda: next(moments, 9))
    monkeypatch.setattr(documents, "_BATCH_DOCUMENTS", 700)
    monkeypatch.setattr(documents, "_collection", _without_server)
    assert "was not done after 1 s" in reader.failure(purchases, table="many", timeout_seconds=1)


def _without_server(secret, asked):
    class Found:
        def find(self, *_, **__):
            return contextlib.nullcontext(iter([{"_id": i} for i in range(5000)]))

    return contextlib.nullcontext(Found())
