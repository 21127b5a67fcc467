#!/bin/bash
# The entrypoint contract of neo4j:5.12-community: mounts, NEO4J_PLUGINS, NEO4J_<setting>, NEO4J_AUTH, then the command.
set -euo pipefail
command=${1:?"which command? (neo4j, neo4j-admin ..., cypher-shell ..., dump-config)"}
conf=$NEO4J_HOME/conf

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

if [[ $(id -u) == 0 ]]; then            # never as root: what upstream does with su-exec
  chown -R neo4j:neo4j "$NEO4J_HOME" /data /logs
  exec setpriv --reuid=7474 --regid=7474 --clear-groups "$0" "$@"
fi

# set_line FILE KEY VALUE: replaces what the file says; JVM options add up.
set_line() {
  if [[ $2 != server.jvm.additional && -e $1 ]]; then
    local rest
    rest=$(grep -v "^${2//./\\.}=" "$1" || true)
    printf '%s\n' "$rest" >"$1"
  fi
  printf '%s=%s\n' "$2" "$3" >>"$1"
}

has_line() { grep -q "^${2//./\\.}=" "$1"; }

readable() { [[ -r $1 && -x $1 ]] || die "$1 is not readable for user $(id -u):$(id -g): change its owner or mode"; }
writable() { [[ -w $1 ]] || die "$1 is not writable for user $(id -u):$(id -g): change its owner or mode"; }

# ---- configuration, from the mount or as the image has it (conf may be an empty tmpfs)
if [[ -d /conf ]]; then
  readable /conf
  rm -rf "${conf:?}"/*
  find /conf -type f -exec cp {} "$conf" \;
  find "$conf" -type f -exec chmod u+w {} +       # a file mounted read-only is completed below, too
fi
if [[ ! -e $conf/neo4j.conf ]]; then
  if [[ -w $conf ]]; then
    if [[ -d /conf ]]; then : >"$conf/neo4j.conf"; else cp /startup/conf/* "$conf/"; fi
  elif [[ $command == neo4j ]]; then
    die "$conf is not writable for user $(id -u):$(id -g): mount a tmpfs of that owner there"
  fi
fi

# ---- mounts
if [[ -d /ssl ]]; then
  readable /ssl
  rm -rf "$NEO4J_HOME/certificates"
  ln -s /ssl "$NEO4J_HOME/certificates"
fi
plugins=$NEO4J_HOME/plugins
if [[ -d /plugins ]]; then
  plugins=/plugins
  readable /plugins
  : "${NEO4J_server_directories_plugins:=/plugins}"
fi
for name in import licenses; do
  if [[ -d /$name ]]; then
    readable "/$name"
    variable=NEO4J_server_directories_$name
    declare "$variable=${!variable:-/$name}"
  fi
done
: "${NEO4J_server_directories_logs:=/logs}"
for directory in /data /logs /data/databases /data/dbms /data/transactions; do
  if [[ -d $directory ]]; then writable "$directory"; fi
done

if [[ -w $conf/neo4j.conf ]]; then
  # ---- plugins: the one that comes with the image; nothing is downloaded
  if [[ -n ${NEO4J_PLUGINS-} ]]; then
    for plugin in $(tr -d '[]",' <<<"$NEO4J_PLUGINS"); do
      [[ $plugin == apoc ]] || die "\"$plugin\" is not a known Neo4j plugin. Options are: apoc"
      writable "$plugins"
      echo "Installing Plugin 'apoc' from $NEO4J_HOME/labs to $plugins/apoc.jar"
      cp --preserve=timestamps "$NEO4J_HOME"/labs/apoc-*-core.jar "$plugins/apoc.jar"    # or it is none of the archive's
      has_line "$conf/neo4j.conf" dbms.security.procedures.unrestricted ||
        set_line "$conf/neo4j.conf" dbms.security.procedures.unrestricted 'apoc.*'
    done
  fi

  # ---- defaults of a container, where the configuration says nothing
  has_line "$conf/neo4j.conf" server.memory.pagecache.size || set_line "$conf/neo4j.conf" server.memory.pagecache.size 512M
  has_line "$conf/neo4j.conf" server.default_listen_address ||
    set_line "$conf/neo4j.conf" server.default_listen_address 0.0.0.0
  for option in jna.boot.library.path="$NEO4J_HOME/native" jna.nounpack=true java.library.path="$NEO4J_HOME/native"; do
    set_line "$conf/neo4j.conf" server.jvm.additional "-D$option"    # a noexec /tmp: libraries come unpacked
  done

  # ---- NEO4J_a_b__c=v is the setting a.b_c=v; apoc.* has a file of its own
  for variable in $(compgen -v NEO4J_ | sort); do
    case $variable in
      NEO4J_ACCEPT_LICENSE_AGREEMENT | NEO4J_AUTH | NEO4J_DEBUG | NEO4J_EDITION | NEO4J_HOME | NEO4J_PLUGINS | \
        NEO4J_SHA256 | NEO4J_TARBALL | NEO4J_CONF) continue ;;
    esac
    [[ -n ${!variable} ]] || continue
    setting=$(sed 's/^NEO4J_//; s/_/./g; s/\.\./_/g' <<<"$variable")
    if [[ $setting == [0-9]* ]]; then
      echo "WARNING: $setting not written to conf file because settings that start with a number are not permitted" >&2
      continue
    fi
    file=neo4j.conf
    [[ $setting != apoc.* ]] || file=apoc.conf
    set_line "$conf/$file" "$setting" "${!variable}"
  done

  # ---- the first password
  if [[ $command == neo4j && -n ${NEO4J_AUTH-} ]]; then
    if [[ $NEO4J_AUTH == none ]]; then
      set_line "$conf/neo4j.conf" dbms.security.auth_enabled false
    elif [[ $NEO4J_AUTH =~ ^([^/]+)/([^/]+)/?([tT][rR][uU][eE])?$ ]]; then
      user=${BASH_REMATCH[1]} password=${BASH_REMATCH[2]} change=${BASH_REMATCH[3]}
      [[ $password != neo4j ]] || die "Invalid value for password. It cannot be 'neo4j', which is the default."
      [[ $user == neo4j ]] || die "Invalid admin username, it must be neo4j."
      neo4j-admin dbms set-initial-password "$password" ${change:+--require-password-change}
    else
      die "Invalid value for NEO4J_AUTH: expected none or neo4j/<password>"   # upstream prints the value; we do not
    fi
  fi
fi

if [[ -f ${EXTENSION_SCRIPT-} ]]; then
  # shellcheck disable=SC1090
  . "$EXTENSION_SCRIPT"
fi
case $command in
  dump-config)
    [[ -d /conf ]] || die "You must mount a folder to /conf so that the configuration file(s) can be dumped to there."
    writable /conf
    cp --recursive "$conf"/* /conf
    echo "Config Dumped"
    ;;
  neo4j)
    run=$(neo4j console --dry-run ${EXTENDED_CONF+--expand-commands})
    # The JVM takes classes from the archive (archive.sh) if it sees the same jars in the same order, and reads them as ever
    # if not. The order of "lib/*" is the file system's, which differs from host to host.
    archive=$NEO4J_HOME/server.jsa jars=$(printf ':%s' "$NEO4J_HOME"/lib/*.jar)
    run=${run/":$NEO4J_HOME/lib/*"/$jars}
    if [[ -e $archive ]]; then run=${run/ -cp / -XX:SharedArchiveFile=$archive -cp }; fi
    eval "exec ${run:?neo4j gave no command to run}"
    ;;
  *) exec "$@" ;;
esac
