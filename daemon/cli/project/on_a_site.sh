#!/bin/sh
# Runs the plugin in a daemon, beside a sandbox site where people are at work, until it has said what it is there to say.
#
#   on_a_site SGEVENTD PLUGINS
set -eu
sgeventd=$1 plugins=$2
said='plugin.__NAME__\] Status of '

work=$(mktemp -d)
site='' daemon=''
cleanup() {
    status=$?
    for pid in $daemon $site; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" || true
    done
    [ "$status" = 0 ] || cat "$work"/*.log
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

wait_for() { # a pattern, a file, the process that writes it
    tries=600
    until grep -q "$1" "$2"; do
        tries=$((tries - 1))
        if ! kill -0 "$3" || [ "$tries" = 0 ]; then
            echo "never came: $1"
            exit 1
        fi
        sleep 0.1
    done
}

: >"$work/site.log"
"$sgeventd" sandbox --port 0 --rate 20 --quiet --script daemon=daemon-key --script plugins=plugins-key \
    >"$work/site.log" 2>&1 &
site=$!
wait_for '^ready' "$work/site.log" "$site"

cat >"$work/sgeventd.yaml" <<EOF
site:
  url: $(sed -n 's/^site: //p' "$work/site.log")
  credential: daemon
  default_plugin_credential: plugins
credentials:
  daemon: {script: daemon, key: daemon-key}
  plugins: {script: plugins, key: plugins-key}
collections: [$plugins]
state_dir: state
cache_dir: cache
EOF
: >"$work/daemon.log"
"$sgeventd" run --config "$work/sgeventd.yaml" >"$work/daemon.log" 2>&1 &
daemon=$!
wait_for "$said" "$work/daemon.log" "$daemon"
grep -m 1 "$said" "$work/daemon.log"
