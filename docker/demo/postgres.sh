#!/usr/bin/env bash
# A private PostgreSQL: own folder, own port on loopback, own socket. Leaves the machine's alone.
#   postgres.sh start DIR PORT     make the cluster if there is none, start it, wait for it
#   postgres.sh stop DIR           stop it, keep the data
#   postgres.sh url DIR            print its URL
#   postgres.sh data DIR           print where its files are
# As root it runs as the user postgres (or nobody), since PostgreSQL refuses to run as root.
set -euo pipefail

usage() {
    sed -n '2,7s/^# //p' "$0" >&2
    exit 64
}

[ $# -ge 2 ] || usage
action=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)

bin=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -V | tail -1 || true)
[ -n "$bin" ] || bin=$(dirname "$(command -v pg_ctl || true)")
[ -x "$bin/pg_ctl" ] || { echo "postgres.sh: no PostgreSQL server is installed" >&2; exit 69; }

# Run a command as whoever owns the cluster.
owner=$(id -un)
if [ "$(id -u)" = 0 ]; then
    owner=postgres
    id "$owner" > /dev/null 2>&1 || owner=nobody
fi
as_owner() {
    if [ "$(id -un)" = "$owner" ]; then
        (cd / && env -u PGDATA -u PGPORT -u PGHOST "$@")
    else
        (cd / && env -u PGDATA -u PGPORT -u PGHOST setpriv --reuid="$owner" --regid="$(id -g "$owner")" \
            --init-groups "$@")
    fi
}

# The owner may not be let into DIR (below /root, say): then the cluster lives elsewhere.
if ! as_owner test -x "$dir" 2> /dev/null; then
    dir=/var/tmp/chartseal-$(printf %s "$dir" | sha256sum | cut -c1-12)
    mkdir -p "$dir"
fi
data=$dir/data

# A socket's path has at most 107 bytes, a data folder's any number.
sockets() {
    local path=$dir
    [ ${#path} -le 80 ] || path=/tmp
    echo "$path"
}

start() {
    local port=$1
    if [ ! -e "$data/PG_VERSION" ]; then
        mkdir -p "$data"
        [ "$(id -u)" != 0 ] || chown "$owner" "$dir" "$data"
        as_owner "$bin/initdb" -D "$data" -U chartseal -A trust -E UTF8 --locale=C.UTF-8 \
            > "$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
        # fsync, full_page_writes and synchronous_commit stay on: what was acknowledged is kept.
        cat >> "$data/postgresql.conf" << CONF
listen_addresses = '127.0.0.1'
max_connections = 100
shared_buffers = 128MB
wal_compression = off
max_wal_size = 2GB
logging_collector = off
log_min_messages = warning
log_min_error_statement = panic
log_parameter_max_length_on_error = 0
CONF
    fi
    if as_owner "$bin/pg_ctl" -D "$data" status > /dev/null 2>&1; then
        return # at the port of its start
    fi
    echo "$port" > "$dir/port"
    touch "$dir/postgres.log"
    [ "$(id -u)" != 0 ] || chown "$owner" "$dir/postgres.log"
    as_owner "$bin/pg_ctl" -D "$data" -l "$dir/postgres.log" -w -t 60 \
        -o "-p $port -k '$(sockets)'" start > /dev/null || { tail -20 "$dir/postgres.log" >&2; exit 1; }
    local made
    made=$("$bin/psql" -h 127.0.0.1 -p "$port" -U chartseal -d postgres -Atqc \
        "SELECT 1 FROM pg_database WHERE datname = 'chartseal'")
    [ -n "$made" ] || "$bin/createdb" -h 127.0.0.1 -p "$port" -U chartseal chartseal
}

stop() {
    [ -e "$data/postmaster.pid" ] || return 0
    as_owner "$bin/pg_ctl" -D "$data" -m fast -w stop > /dev/null
}

case $action in
start) [ $# = 3 ] || usage; start "$3" ;;
stop) stop ;;
url) echo "postgresql://chartseal@127.0.0.1:$(cat "$dir/port")/chartseal" ;;
data) echo "$data" ;;
*) usage ;;
esac
