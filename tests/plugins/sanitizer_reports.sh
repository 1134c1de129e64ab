#!/bin/sh
# A report in a host must fail a test that itself sees nothing wrong: runs one that provokes it.
# usage: sanitizer_reports.sh WATCH PROGRAM EVENT-TYPE TEXT-OF-THE-REPORT
set -eu
said=$(mktemp)
trap 'rm -f "$said"' EXIT
if SG_TEST_REPORT=$3 "$1" "$2" "[report]" >"$said" 2>&1; then
    cat "$said"
    echo "The test passed although its host misbehaved: $3"
    exit 1
fi
cat "$said"
# The test's own checks held: the report, and nothing else, made it fail.
grep -q 'All tests passed' "$said"
grep -q "$4" "$said"
