# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Evaluate the expressions of a PostgreSQL database as a restore does, to find those that would fail.

pg_dump and pg_restore set `search_path = ''`. Whatever is evaluated while rows and indexes come back (expressions of
indexes, CHECK, domains, generated columns, partition keys, materialized views) then fails if it calls a function that
relies on a search_path. A schema alone shows only what is inlined when an index is made, so each is evaluated on the
running server with some rows, as a restore does.

By an account that may read everything and do nothing: what is called are functions of the databases' own users, and one
that an admin calls may do whatever an admin may.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from ..manifest import BackupError
from .redacted_output import without_rows

#: Rows of a table on which each expression is evaluated, and seconds that one may take.
ROWS = 100
SECONDS = 20
CURE = (
    "ALTER FUNCTION … SET search_path = …, or names with their schema in its body; a function of an extension needs "
    "one of your own around it that does so"
)
_OURS = "n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
#: Waits, timeouts, a full disk, what writes, and what the account may not do: a restore would not fail for it.
_SAYS_NOTHING = re.compile(r"^(53|57|55P03|40|25006|42501)")
#: A restore evaluates no policies of rows, so the account must not either: a table that has some is refused (42501).
_BEGIN = f"""
SET search_path = '';
SET default_transaction_read_only = on;
SET statement_timeout = '{SECONDS}s';
SET lock_timeout = '5s';
SET client_min_messages = error;
SET row_security = off;
"""
#: Evaluates everything, each in its own statement, whose comment names the object.
EVALUATE = f"""{_BEGIN}
WITH tables AS (
  SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND c.relispopulated AND {_OURS}
), indexes AS (
  SELECT t.name, format('index %I.%I', n.nspname, c.relname) AS object, pg_get_expr(i.indexprs, i.indrelid) AS columns,
         pg_get_expr(i.indpred, i.indrelid) AS condition
    FROM pg_index i JOIN tables t ON t.oid = i.indrelid JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.relkind <> 'p' AND i.indisvalid
), checked AS (
  WITH RECURSIVE d AS (
    SELECT contypid AS oid FROM pg_constraint WHERE contypid <> 0 AND contype = 'c'
    UNION SELECT y.oid FROM pg_type y JOIN d ON y.typbasetype = d.oid
  ) SELECT oid FROM d
), found AS (
  SELECT object, columns, 'ONLY ' || name || coalesce(' WHERE ' || condition, '') AS source, 'false' AS wrong
    FROM indexes WHERE columns IS NOT NULL
  UNION ALL
  SELECT object || ', its condition', '(' || condition || ')', 'ONLY ' || name, 'false'
    FROM indexes WHERE condition IS NOT NULL
  UNION ALL
  SELECT format('constraint %I of %s', k.conname, t.name), '(' || pg_get_expr(k.conbin, k.conrelid) || ') AS holds',
         'ONLY ' || t.name, 'ready_row.holds IS FALSE'
    FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid
   WHERE k.contype = 'c' AND k.convalidated AND t.relkind = 'r'
  UNION ALL
  SELECT format('generated column %I of %s', a.attname, t.name), pg_get_expr(e.adbin, e.adrelid), 'ONLY ' || t.name,
         'false'
    FROM pg_attribute a JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
    JOIN tables t ON t.oid = a.attrelid WHERE a.attgenerated <> '' AND NOT a.attisdropped AND t.relkind = 'r'
  UNION ALL
  SELECT format('domain %s in column %I of %s', format_type(y.oid, NULL), a.attname, t.name),
         format('CAST(CAST(%I AS %s) AS %s)', a.attname, format_type(y.typbasetype, y.typtypmod),
                format_type(y.oid, NULL)), 'ONLY ' || t.name, 'false'
    FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid JOIN checked d ON d.oid = y.oid
    JOIN tables t ON t.oid = a.attrelid WHERE a.attnum > 0 AND NOT a.attisdropped AND t.relkind = 'r'
  UNION ALL
  SELECT 'partition key of ' || t.name, pg_get_expr(p.partexprs, p.partrelid), t.name, 'false'
    FROM pg_partitioned_table p JOIN tables t ON t.oid = p.partrelid WHERE p.partexprs IS NOT NULL
  UNION ALL
  SELECT 'materialized view ' || name, '*', '(' || rtrim(pg_get_viewdef(oid), ';') || ') AS ready_view', 'false'
    FROM tables WHERE relkind = 'm'
)
SELECT format('/* @ready %s @ready */ SELECT json_build_array(%L, count(ready_row::text), '
              || 'count(*) FILTER (WHERE %s)) FROM (SELECT %s FROM %s LIMIT {ROWS}) AS ready_row',
              replace(replace(object, '*/', '* /'), '/*', '/ *'), object, wrong, columns, source)
  FROM found ORDER BY object
\\gexec
"""  # noqa: S608  # put together of constants
#: One hash of everything that decides whether a schema can be restored: of no table and no partition.
FINGERPRINT = f"""{_BEGIN}
WITH ours AS (SELECT n.oid, n.nspname FROM pg_namespace n WHERE {_OURS}),
found AS (
  SELECT pg_get_functiondef(p.oid) AS text FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace WHERE p.prokind <> 'a'
  UNION ALL SELECT format('%s %I.%I(%s)', p.prokind, n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
    FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace WHERE p.prokind = 'a'
  UNION ALL SELECT format('extension %I %s %s', extname, extversion, extnamespace::regnamespace) FROM pg_extension
  UNION ALL SELECT format('type %I.%I %s %s', n.nspname, t.typname, t.typtype, format_type(t.typbasetype, t.typtypmod))
    FROM pg_type t JOIN ours n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
   WHERE t.typelem = 0 AND coalesce(c.relkind, 'c') = 'c'
  UNION ALL SELECT format('attribute %I of %s %s', a.attname, c.oid::regclass, format_type(a.atttypid, a.atttypmod))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN ours n ON n.oid = c.relnamespace
   WHERE c.relkind = 'c' AND NOT a.attisdropped
  UNION ALL SELECT format('label %s %L', e.enumtypid::regtype, e.enumlabel) FROM pg_enum e
  UNION ALL SELECT format('view %I.%I %s %s', n.nspname, c.relname, c.relispopulated, pg_get_viewdef(c.oid))
    FROM pg_class c JOIN ours n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm')
  UNION ALL SELECT format('constraint %I of %s %s %s', k.conname, k.conrelid::regclass, k.contypid::regtype,
                          pg_get_constraintdef(k.oid))
    FROM pg_constraint k JOIN ours n ON n.oid = k.connamespace
   WHERE k.contype IN ('c', 'x') AND k.conislocal AND k.conparentid = 0
  UNION ALL SELECT pg_get_indexdef(i.indexrelid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN ours n ON n.oid = c.relnamespace
   WHERE (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) AND NOT c.relispartition
  UNION ALL SELECT format('generated %I of %s %s', a.attname, c.oid::regclass, pg_get_expr(e.adbin, e.adrelid))
    FROM pg_attribute a JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
    JOIN pg_class c ON c.oid = a.attrelid JOIN ours n ON n.oid = c.relnamespace
   WHERE a.attgenerated <> '' AND NOT c.relispartition
  UNION ALL SELECT format('partition key of %s %s', p.partrelid::regclass, pg_get_partkeydef(p.partrelid))
    FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
   WHERE p.partexprs IS NOT NULL AND NOT c.relispartition
)
SELECT md5(current_setting('server_version') || coalesce(string_agg(md5(text), '' ORDER BY md5(text)), '')) FROM found;
"""  # noqa: S608  # put together of constants
_ERROR = re.compile(r"^(?:psql:\S+?:\d+: )?(?:ERROR|FATAL|PANIC):\s+([0-9A-Z]{5}): (.*)$")
_CONTEXT = re.compile(r"^CONTEXT:\s+(.*)$")
_STATEMENT = re.compile(r"STATEMENT:\s+/\* @ready (.*?) @ready \*/")


@dataclass
class Evaluation:
    """What evaluating a database's expressions has shown.

    Attributes:
        objects: how many were evaluated.
        rowless: how many of them on no row.
        faults: object and why it can't be restored, a line each.
        unproven: object and why nothing is known of it, a line each.
    """

    objects: int = 0
    rowless: int = 0
    faults: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)


def parse_evaluation(output: str, errors: str) -> Evaluation:
    """Return what psql's answer to `EVALUATE` says. Raises BackupError when an error is of no object.

    Args:
        output: its standard output: a JSON array of object, rows and rows that break it, for each that was evaluated.
        errors: its standard errors, verbose, each with the statement that it is of.
    """
    found = Evaluation()
    for line in filter(None, output.splitlines()):
        name, rows, wrong = json.loads(line)
        found.objects += 1
        found.rowless += rows == 0
        if wrong:
            found.faults.append(f"{name}: found {wrong} of {rows} rows for which it is false")
    code, words = "", ""
    for line in without_rows(errors).splitlines():
        if error := _ERROR.match(line):
            _refuse(code, words)
            code, words = error[1], error[2]
        elif code and (context := _CONTEXT.match(line)):
            words += f" ({context[1]})"
        elif code and (statement := _STATEMENT.search(line)):
            its = found.unproven if _SAYS_NOTHING.match(code) else found.faults
            its.append(f"{statement[1]}: {words}")
            code = ""
    _refuse(code, words)
    return found


def _refuse(code: str, words: str) -> None:
    if code:
        raise BackupError(f"its expressions can't be evaluated: {words}")
