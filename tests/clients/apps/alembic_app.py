"""Alembic: two revisions up, what they made, and all the way down."""

import tempfile
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from settings import ENV, expect

URL = ENV["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
ENVIRONMENT = """
from alembic import context
context.configure(connection=context.config.attributes["connection"], version_table="clients_alembic")
with context.begin_transaction():
    context.run_migrations()
"""
FIRST = """
revision, down_revision = "1", None
import sqlalchemy as sa
from alembic import op
def upgrade():
    op.create_table("clients_migrated", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
    op.create_index("clients_migrated_name", "clients_migrated", ["name"])
def downgrade():
    op.drop_table("clients_migrated")
"""
SECOND = """
revision, down_revision = "2", "1"
import sqlalchemy as sa
from alembic import op
def upgrade():
    op.add_column("clients_migrated", sa.Column("born", sa.DateTime(timezone=True), server_default=sa.func.now()))
    op.execute("INSERT INTO clients_migrated (name) VALUES ('ada')")
    with op.get_context().autocommit_block():
        op.create_index("clients_migrated_born", "clients_migrated", ["born"], postgresql_concurrently=True)
def downgrade():
    op.drop_column("clients_migrated", "born")
"""

with tempfile.TemporaryDirectory() as directory:
    home = Path(directory)
    (home / "versions").mkdir()
    for name, text in (("env", ENVIRONMENT), ("versions/1", FIRST), ("versions/2", SECOND)):
        (home / f"{name}.py").write_text(text, encoding="utf-8")
    config = Config()
    config.set_main_option("script_location", str(home))
    engine = sqlalchemy.create_engine(URL)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        found = {column["name"] for column in sqlalchemy.inspect(connection).get_columns("clients_migrated")}
        expect(found, {"id", "name", "born"}, "columns after the upgrade")
        connection.commit()
        command.downgrade(config, "base")
        expect(sqlalchemy.inspect(engine).has_table("clients_migrated"), False, "the table after the downgrade")
        connection.execute(sqlalchemy.text("DROP TABLE clients_alembic"))
        connection.commit()
