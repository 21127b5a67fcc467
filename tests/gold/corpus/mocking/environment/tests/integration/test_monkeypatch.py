# judged: GS16
import sys

from shop import db


def test_environment(monkeypatch, tmp_path):
    # fine: GS16
    monkeypatch.setenv("DB_HOST", "localhost")
    # fine: GS16
    monkeypatch.delenv("DB_USER", raising=False)
    # fine: GS16
    monkeypatch.chdir(tmp_path)
    # fine: GS16
    monkeypatch.syspath_prepend(tmp_path)
    assert db.connect()


def test_service(monkeypatch):
    # found: GS16
    monkeypatch.setattr(db, "connect", lambda: None)
    assert db.load()


def test_service_by_text(monkeypatch):
    # found: GS16
    monkeypatch.setattr("shop.db.connect", lambda: None)


def test_service_renamed(monkeypatch):
    patcher = monkeypatch
    # found: GS16
    patcher.setattr(db, "connect", lambda: None)


# fine: GS16
def test_untouched(monkeypatch):
    assert db.load()
