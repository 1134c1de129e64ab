#!/bin/sh
# Runs a test so that a sanitizer's report in any process below it, daemon or host, fails it: reports go to files,
# whoever captured or closed standard error, and a file that is there at the end is shown and counts.
set -u
reports=$(mktemp -d "${TMPDIR:-/tmp}/sg-reports-XXXXXX")
trap 'rm -rf "$reports"' EXIT

# The first report ends its process: what that process does afterwards proves nothing.
options=log_path=$reports/report:halt_on_error=1
export ASAN_OPTIONS="$options${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export LSAN_OPTIONS="$options${LSAN_OPTIONS:+:$LSAN_OPTIONS}"
export UBSAN_OPTIONS="$options:print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
export TSAN_OPTIONS="$options:second_deadlock_stack=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}"

"$@"
code=$?
for report in "$reports"/*; do
    [ -f "$report" ] || continue
    # A process that is killed while it looks for leaks at its end leaves this and nothing else.
    grep -qv 'Unable to get registers from thread' "$report" || continue
    echo "A sanitizer reported, in process ${report##*.}:" >&2
    cat "$report" >&2
    [ "$code" -ne 0 ] || code=1
done
exit "$code"
