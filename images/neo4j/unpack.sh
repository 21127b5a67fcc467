#!/bin/bash
# Build stage: fetches the pinned jars, holds every one against artifacts.sha256, and lays out NEO4J_HOME in /neo4j.
set -euo pipefail
set -a; . /build/host/env; set +a
lib=/neo4j/lib labs=/neo4j/labs native=/neo4j/native
mkdir -p "$lib" "$labs" "$native" /neo4j/{plugins,import,run,licenses,certificates}
ln -s /data /logs /neo4j/

cd /build
mvn -B -q -s host/maven-settings.xml -Dsettings.security=/build/host/maven-security.xml -Dmaven.artifact.threads=8 -Dmaven.wagon.http.retryHandler.count=3 \
  org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DoutputDirectory="$lib"

cd "$lib"
expected=$(sed '/^#/d; s/^[0-9a-f]*  //' /build/artifacts.sha256 | sort)
if [ "$expected" != "$(find . -type f -printf '%f\n' | sort)" ]; then
  echo "hash mismatch: the jars fetched are not the jars listed in images/neo4j/artifacts.sha256" >&2
  diff <(echo "$expected") <(find . -type f -printf '%f\n' | sort) >&2 || true
  exit 1
fi
sha256sum --check --strict --quiet <(sed '/^#/d' /build/artifacts.sha256) ||
  { echo "hash mismatch: see the files above" >&2; exit 1; }

# Native code is unpacked here, so that the server runs with a noexec /tmp; the other platforms' is dropped.
case $(uname -m) in
  x86_64) jna=linux-x86-64 netty=linux-x86_64 jansi=x86_64 ;;
  aarch64) jna=linux-aarch64 netty=linux-aarch_64 jansi=arm64 ;;
  *) echo "no native libraries of Neo4j for $(uname -m)" >&2; exit 1 ;;
esac
unzip -jq jna-*.jar "com/sun/jna/$jna/libjnidispatch.so" -d "$native"
unzip -jq netty-transport-native-epoll-*-"$netty".jar 'META-INF/native/*.so' -d "$native"
unzip -jq jansi-*.jar "org/fusesource/jansi/internal/native/Linux/$jansi/libjansi.so" -d "$native"
find . \( -name '*-osx-*' -o -name 'netty-transport-native-epoll-*' ! -name "*-$netty.jar" \) -delete
mv apoc-core-*-core.jar "$labs/"
