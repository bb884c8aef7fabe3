#!/usr/bin/env bash
# A throw-away database server for the ETL example and its tests, in a temporary folder, as any user, root included.
#
#   server.sh run mariadb|postgres        starts one, prints its URL, and stops it at the end of standard input
#   server.sh install mariadb|postgres    installs the server's programs with apt-get, unless they are there
#   server.sh available mariadb|postgres  says by its status whether one can be started
#
# The server listens on a socket in the folder and on no port. It is stopped and the folder is removed however this
# script ends, short of SIGKILL.
set -euo pipefail

usage() {
    sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

# Debian keeps the programs of PostgreSQL out of the way, and those of MariaDB where only root looks.
PATH="$PATH:/usr/sbin:/usr/local/sbin"
for folder in /usr/lib/postgresql/*/bin; do
    PATH="$PATH:$folder"
done

# PostgreSQL refuses to be root, and MariaDB wants to be told.
as_postgres=() as_mariadb=()
if [[ $EUID == 0 ]]; then
    as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    as_mariadb=(--user=root)
fi

installed() {
    case "$1" in
        mariadb) command -v mariadbd && command -v mariadb-install-db && command -v mariadb ;;
        postgres) command -v postgres && command -v initdb ;;
    esac >/dev/null 2>&1
}

available() {
    # The scripts of PostgreSQL need what any user has.
    installed "$1" && { [[ "$1" == mariadb ]] || "${as_postgres[@]}" sh -c ': >/dev/null' 2>/dev/null; }
}

install_server() {
    local packages=(mariadb-server-core mariadb-client-core)
    [[ "$1" == mariadb ]] || packages=(postgresql)
    if installed "$1"; then
        available "$1"
        return
    fi
    [[ $EUID == 0 ]] || { echo "installing ${packages[*]} takes root" >&2; return 1; }
    export DEBIAN_FRONTEND=noninteractive
    # Without a network this gives up within a minute or two. No service is started by it.
    export RUNLEVEL=1
    local apt=(apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=15 -o DPkg::Lock::Timeout=20)
    local install=(install -y --no-install-recommends "${packages[@]}")
    timeout 60 "${apt[@]}" update >&2 || true
    timeout 90 "${apt[@]}" "${install[@]}" --download-only >&2 && "${apt[@]}" "${install[@]}" --no-download >&2
    available "$1"
}

server=
stop() {
    trap - EXIT INT TERM HUP
    # To PostgreSQL it means not to wait for its clients; MariaDB knows SIGTERM alone.
    local signal=INT
    [[ "$1" == postgres ]] || signal=TERM
    if [[ -n "$server" ]] && kill -"$signal" "$server" 2>/dev/null; then
        for _ in {1..100}; do
            kill -0 "$server" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$folder"
}

start_mariadb() {
    mariadb-install-db --no-defaults "${as_mariadb[@]}" --datadir="$folder/data" --skip-test-db \
        --auth-root-authentication-method=normal >"$folder/install.log" 2>&1 || fail install.log
    mariadbd --no-defaults "${as_mariadb[@]}" --datadir="$folder/data" --socket="$folder/socket" --skip-networking \
        --pid-file="$folder/pid" --innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=2 \
        </dev/null >"$folder/server.log" 2>&1 &
    server=$!
    await mariadb --no-defaults --socket="$folder/socket" --user=root --execute='create database if not exists etl'
    echo "mysql://root@localhost/etl?socket=$folder/socket"
}

start_postgres() {
    [[ $EUID != 0 ]] || chown postgres "$folder"
    "${as_postgres[@]}" "$(command -v initdb)" --pgdata="$folder/data" --username=etl --auth=trust --encoding=UTF8 \
        --locale=C --no-sync >"$folder/install.log" 2>&1 || fail install.log
    "${as_postgres[@]}" "$(command -v postgres)" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off \
        </dev/null >"$folder/server.log" 2>&1 &
    server=$!
    await "${as_postgres[@]}" "$(command -v pg_isready)" --quiet --host="$folder"
    echo "postgres:///postgres?user=etl&host=$folder"
}

# Asks until the server answers, at most a minute.
await() {
    for _ in {1..600}; do
        "$@" >/dev/null 2>&1 && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    fail server.log
}

fail() {
    echo "the server does not start:" >&2
    tail -n 20 "$folder/$1" >&2
    exit 1
}

run() {
    available "$1" || { echo "$1 cannot be started here: $0 install $1" >&2; exit 1; }
    folder="$(mktemp -d "${TMPDIR:-/tmp}/etl-$1.XXXXXX")"
    trap "stop $1" EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    "start_$1"
    # A test that is killed closes its end, too.
    while read -r _; do :; done
}

[[ $# == 2 && "$2" =~ ^(mariadb|postgres)$ ]] || usage
case "$1" in
    run) run "$2" ;;
    install) install_server "$2" ;;
    available) available "$2" ;;
    *) usage ;;
esac
