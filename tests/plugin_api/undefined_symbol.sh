#!/bin/sh
# undefined_symbol.sh BUILD_DIRECTORY: a plugin that calls what nobody defines does not link.
set -eu
out=$(cmake --build "$1" --target calls_nobody 2>&1) && { echo "it linked" >&2; exit 1; }
echo "$out" | grep -q "undefined reference to .*defined_by_nobody" || { echo "$out" >&2; exit 1; }
