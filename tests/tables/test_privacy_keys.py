"""One key, the same from run to run and in Python and SQL; a key that others know is refused, and none is ever shown."""

import hashlib
import hmac
import os
import subprocess
import sys

import duckdb
import pytest

from crm_analysis.errors import ParamsError
from crm_analysis.tables.privacy.keys import pseudonym, pseudonym_key, pseudonym_parameters, pseudonym_sql
from crm_analysis.tables.references import Secret

KEY = Secret("a key for these tests")


@pytest.fixture
def key_file(tmp_path, monkeypatch):
    monkeypatch.delenv("CRM_PSEUDONYM_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "crm_analysis" / "pseudonym.key"


def written(key_file, text="0123456789abcdef0123456789abcdef", mode=0o600):
    key_file.parent.mkdir(parents=True, mode=0o700)
    key_file.write_text(text)
    key_file.chmod(mode)
    return key_file


@pytest.mark.parametrize("text", ["17850", "", "Müller", "客户", "x" * 500])
@pytest.mark.parametrize("key", [KEY, Secret("k" * 64), Secret("long " * 40), Secret("ключ от базы данных")])
def test_the_pseudonym_is_hmac_in_python_and_in_sql(text, key):
    expected = "c" + hmac.new(key.reveal().encode(), text.encode(), hashlib.sha256).hexdigest()[:20]
    query = f"SELECT {pseudonym_sql('id')} FROM (SELECT $text AS id)"
    in_sql = duckdb.connect().execute(query, {"text": text, **pseudonym_parameters(key)}).fetchall()
    assert pseudonym(key, text) == in_sql[0][0] == expected


def test_null_stays_null_and_different_customers_differ():
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t AS SELECT CAST(i AS VARCHAR) AS id FROM range(1000) r(i) UNION ALL SELECT NULL")
    query = (
        f"SELECT count(*), count(p), count(DISTINCT p), max(length(p)) FROM (SELECT {pseudonym_sql('id')} AS p FROM t)"
    )
    assert connection.execute(query, pseudonym_parameters(KEY)).fetchall() == [(1001, 1000, 1000, 21)]


def test_another_key_gives_another_pseudonym():
    assert pseudonym(KEY, "17850") != pseudonym(Secret("another key for tests"), "17850")


def test_the_environment_goes_before_the_file(key_file, monkeypatch):
    monkeypatch.setenv("CRM_PSEUDONYM_KEY", " sixteen letters! \n")
    assert pseudonym_key().reveal() == "sixteen letters!"
    assert not key_file.exists()


@pytest.mark.parametrize("given", ["", "   ", "too short", "fifteen letters"])
def test_a_short_key_of_the_environment_is_refused_and_not_shown(key_file, monkeypatch, given):
    monkeypatch.setenv("CRM_PSEUDONYM_KEY", given)
    with pytest.raises(ParamsError, match=r"\$CRM_PSEUDONYM_KEY") as error:
        pseudonym_key()
    assert not given.strip() or given not in str(error.value)
    assert not key_file.exists()


def test_a_key_is_made_once_and_for_its_user_alone(key_file):
    first = pseudonym_key().reveal()
    assert len(first) == 64
    assert pseudonym_key().reveal() == first == key_file.read_text().strip()
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert key_file.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in key_file.parent.iterdir()] == ["pseudonym.key"]


def test_processes_that_start_at_once_agree_on_the_key(key_file):
    code = "from crm_analysis.tables.privacy.keys import pseudonym_key; print(pseudonym_key().reveal())"
    runs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({run.communicate()[0] for run in runs}) == 1
    assert [path.name for path in key_file.parent.iterdir()] == ["pseudonym.key"]


def test_without_a_configured_folder_the_home_folder_is_taken(tmp_path, key_file, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative/does/not/count")
    pseudonym_key()
    assert (tmp_path / ".config" / "crm_analysis" / "pseudonym.key").is_file()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused(key_file, mode):
    written(key_file, mode=mode)
    with pytest.raises(ParamsError, match=f"has mode {mode:04o}.*chmod 600"):
        pseudonym_key()


@pytest.mark.parametrize(("text", "found"), [("", "is empty"), ("\n", "is empty"), ("abc", "fewer than 16 characters")])
def test_an_empty_or_short_key_file_is_refused(key_file, text, found):
    written(key_file, text)
    with pytest.raises(ParamsError, match=found) as error:
        pseudonym_key()
    assert "Remove it" in str(error.value)
    assert "CRM_PSEUDONYM_KEY" in str(error.value)


def test_a_link_is_refused_even_where_it_leads_nowhere(tmp_path, key_file):
    key_file.parent.mkdir(parents=True, mode=0o700)
    key_file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ParamsError, match="is a link"):
        pseudonym_key()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("make", [lambda path: path.mkdir(mode=0o700), lambda path: os.mkfifo(path, 0o600)])
def test_what_is_no_file_is_refused_without_waiting(key_file, make):
    key_file.parent.mkdir(parents=True, mode=0o700)
    make(key_file)
    with pytest.raises(ParamsError, match="is not a file"):
        pseudonym_key()


def test_a_folder_in_which_others_may_write_is_refused(key_file):
    written(key_file)
    key_file.parent.chmod(0o777)
    with pytest.raises(ParamsError, match="chmod 700"):
        pseudonym_key()


def test_a_folder_that_cannot_be_made_names_the_variable(tmp_path, key_file, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(ParamsError, match=r"neither read nor made: Not a directory.*\$CRM_PSEUDONYM_KEY"):
        pseudonym_key()


def test_no_message_shows_a_key(key_file):
    written(key_file, "short-secret", mode=0o600)
    with pytest.raises(ParamsError) as error:
        pseudonym_key()
    assert "short-secret" not in str(error.value)
    key_file.write_text("short-secret, but longer")
    assert "short-secret" not in repr(pseudonym_key())
