#!/bin/sh
# What haproxy:2.6's entrypoint does: options alone mean haproxy, which runs as master and worker, in the foreground.
set -eu
case "${1-}" in
  -*) set -- haproxy "$@" ;;
esac
if [ "${1-}" = haproxy ]; then
  shift
  set -- haproxy -W -db "$@"
fi
exec "$@"
