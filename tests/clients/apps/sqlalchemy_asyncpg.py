"""SQLAlchemy's ORM over asyncpg: tables from models, a rollback, a relation, a streamed result."""

import asyncio

from settings import ENV, context, expect
from sqlalchemy import ForeignKey, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

URL = ENV["DATABASE_URL"].partition("?")[0].replace("postgresql://", "postgresql+asyncpg://")
TLS = context(ENV.get("PGSSLROOTCERT"))


class Base(DeclarativeBase):
    """The models' base."""


class Author(Base):
    """Has books."""

    __tablename__ = "clients_author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    books: Mapped[list["Book"]] = relationship(back_populates="author")


class Book(Base):
    """Has an author."""

    __tablename__ = "clients_book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int] = mapped_column(ForeignKey(Author.id))
    author: Mapped[Author] = relationship(back_populates="books")


async def main() -> None:
    """Work with them."""
    engine = create_async_engine(URL, connect_args={"ssl": TLS} if TLS else {})
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine)
    async with sessions() as session:
        session.add(Author(name="Ada", books=[Book(title=f"Notes {number}") for number in range(3)]))
        await session.commit()
        session.add(Author(name="Ada"))
        try:
            await session.commit()
        except IntegrityError:
            await session.rollback()
    async with sessions() as session:
        ada = (await session.scalars(select(Author).options(selectinload(Author.books)))).one()
        expect([book.title for book in ada.books], ["Notes 0", "Notes 1", "Notes 2"], "a relation")
        titles = [title async for title in await session.stream_scalars(select(Book.title).order_by(Book.id))]
        expect(len(titles), 3, "a streamed result")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
    await engine.dispose()


asyncio.run(main())
