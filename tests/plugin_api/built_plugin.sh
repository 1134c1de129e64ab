#!/bin/sh
# built_plugin.sh FILE: what sg_add_plugin makes shows one symbol to the outside, and says how it was built even when
# everything that can be stripped is.
set -eu
plugin=$1
fail() { echo "$plugin: $*" >&2; exit 1; }

symbols=$(nm -D --defined-only "$plugin" | awk '{print $2, $3}')
[ "$symbols" = "T sg_plugin_entry" ] || fail "expected the entry alone, found: $symbols"
[ "$(readelf -Ws "$plugin" | grep -c UNIQUE)" = 0 ] || fail "holds unique symbols: it could not be unloaded"

stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -s -o "$stripped" "$plugin"
readelf -n "$stripped" | grep -q '^ *SGD' || fail "the ABI note is gone after strip"
strings "$stripped" | grep -q '^api=1\.[0-9]*;stdlib=[^;]*;sanitizer=[^;]*;json=[0-9.]*[^;]*;compiler=' ||
    fail "the ABI note does not say what it should"
nm -D --defined-only "$stripped" | grep -q ' T sg_plugin_entry$' || fail "the entry is gone after strip"
