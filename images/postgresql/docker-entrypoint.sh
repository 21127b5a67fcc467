#!/bin/bash
# The entrypoint contract of postgres:15-alpine: the first start on an empty PGDATA makes the cluster, the database and
# the superuser's password, then runs /docker-entrypoint-initdb.d; every later start only starts.
set -Eeo pipefail

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# from_file X [DEFAULT]: X out of the environment, or out of the file that X_FILE names; never both.
from_file() {
  local name=$1 file=$1_FILE
  [[ -z ${!name-} || -z ${!file-} ]] || die "both $name and $file are set (but are exclusive)"
  local value=${!name:-${2-}}
  if [[ -n ${!file-} ]]; then value=$(<"${!file}"); fi
  export "$name=$value"
  unset "$file"
}

# sql [psql options]: as the superuser over the socket, in POSTGRES_DB.
sql() {
  PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password -U "$POSTGRES_USER" -d "$POSTGRES_DB" "$@"
}

# initdb wants its uid to have a name: an unknown --user gets one.
name_this_uid() {
  if getent passwd "$(id -u)" >/dev/null; then return; fi
  NSS_WRAPPER_PASSWD=$(mktemp)
  NSS_WRAPPER_GROUP=$(mktemp)
  printf 'postgres:x:%s:%s:PostgreSQL:%s:/bin/false\n' "$(id -u)" "$(id -g)" "$PGDATA" >"$NSS_WRAPPER_PASSWD"
  printf 'postgres:x:%s:\n' "$(id -g)" >"$NSS_WRAPPER_GROUP"
  export LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
}

make_cluster() {
  if [[ -z $POSTGRES_PASSWORD && $POSTGRES_HOST_AUTH_METHOD != trust ]]; then
    die "Database is uninitialized and superuser password is not specified: set POSTGRES_PASSWORD_FILE" \
      "(or POSTGRES_PASSWORD; or POSTGRES_HOST_AUTH_METHOD=trust, which lets everybody in)"
  fi
  [[ $POSTGRES_HOST_AUTH_METHOD != trust ]] || echo "WARNING: POSTGRES_HOST_AUTH_METHOD=trust lets everybody in" >&2
  ls /docker-entrypoint-initdb.d/ >/dev/null    # unreadable scripts stop here, before a half-made cluster
  if [[ -n ${POSTGRES_INITDB_WALDIR-} ]]; then
    mkdir -p "$POSTGRES_INITDB_WALDIR"
    chmod 700 "$POSTGRES_INITDB_WALDIR"
    set -- --waldir="$POSTGRES_INITDB_WALDIR"
  else
    set --
  fi
  # eval: POSTGRES_INITDB_ARGS is a shell's word list, quotes included
  (
    name_this_uid
    eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD")' "$POSTGRES_INITDB_ARGS" '"$@"'
    rm -f "${NSS_WRAPPER_PASSWD-}" "${NSS_WRAPPER_GROUP-}"
  )
}

run_init_scripts() {
  local file
  # The names that upstream's scripts may call.
  docker_process_sql() { sql "$@"; }
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh)
        if [[ -x $file ]]; then
          echo "$0: running $file"
          "$file"
        else
          echo "$0: sourcing $file"
          # shellcheck disable=SC1090
          . "$file"
        fi
        ;;
      *.sql) echo "$0: running $file" && sql -f "$file" ;;
      *.sql.gz) echo "$0: running $file" && gunzip -c "$file" | sql ;;
      *.sql.xz) echo "$0: running $file" && xzcat "$file" | sql ;;
      *.sql.zst) echo "$0: running $file" && zstd -dc "$file" | sql ;;
      /docker-entrypoint-initdb.d/\*) ;;
      *) echo "$0: ignoring $file" ;;
    esac
  done
}

first_start() {                         # first_start [options of postgres]
  make_cluster
  printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "$@")}" \
    >>"$PGDATA/pg_hba.conf"
  export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
  # The socket alone: nobody outside may take the half-made server for the real one.
  set -- "$@" -c listen_addresses='' -p "${PGPORT:-5432}"
  PGUSER=${PGUSER:-$POSTGRES_USER} pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@")" -w start
  POSTGRES_DB=postgres sql --set db="$POSTGRES_DB" <<'SQL'
SELECT format('CREATE DATABASE %I', :'db') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'db') \gexec
SQL
  run_init_scripts
  PGUSER=${PGUSER:-postgres} pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

wants_help() {
  local arg
  for arg; do
    case $arg in
      -\? | --help | --describe-config | -V | --version) return 0 ;;
    esac
  done
  return 1
}

if [[ ${1-} == -* ]]; then set -- postgres "$@"; fi
if [[ ${1-} == postgres ]] && ! wants_help "$@"; then
  from_file POSTGRES_PASSWORD
  from_file POSTGRES_USER postgres
  from_file POSTGRES_DB "$POSTGRES_USER"
  from_file POSTGRES_INITDB_ARGS
  : "${POSTGRES_HOST_AUTH_METHOD:=}"
  mkdir -p "$PGDATA"
  chmod 0700 "$PGDATA" || :             # PostgreSQL itself says why, when it minds
  if [[ $(id -u) == 0 ]]; then
    find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres {} +
    exec setpriv --reuid=70 --regid=70 --clear-groups "$0" "$@"
  fi
  if [[ -s $PGDATA/PG_VERSION ]]; then
    printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
  else
    first_start "${@:2}"
  fi
fi
exec "$@"
