#!/bin/sh
# Everything that must hold: types, lint, unit and end-to-end tests. All run even if one fails; the last line is
# "N passed, N failed", where types and lint count as one each.
cd "$(dirname "$0")/.." || exit 1

passed=0 failed=0 skipped=0

finish() {
  [ "$skipped" -eq 0 ] || tail=", $skipped skipped"
  printf '\n%s\n' "$passed passed, $failed failed${tail-}"
  [ "$failed" -eq 0 ]
  exit
}

check() {
  printf '\n== %s\n' "$1"
  shift
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

sh scripts/setup.sh || {
  failed=1
  finish
}
. scripts/find-bun.sh
find_bun node_modules || {
  echo "no Bun for this platform ($(uname -sm)) in node_modules" >&2
  failed=1
  finish
}

check types node_modules/.bin/tsc --noEmit
check lint node_modules/.bin/biome check --error-on-warnings .

printf '\n== tests\n'
report=$(mktemp)
trap 'rm -f "$report"' EXIT
# A machine may be busy with other things: what hangs is ended, what is slow is not.
# Here properties are tried with the same inputs every time; `npx bun test` alone tries new ones.
"$bun" test --preload=./test/property_seed.ts --timeout=120000 --reporter=junit --reporter-outfile="$report"
status=$?

total_of() {
  count=$(sed -n "s/.*<testsuites [^>]* $1=\"\([0-9]*\)\".*/\1/p" "$report")
  echo "${count:-0}"
}

tests=$(total_of tests) failures=$(total_of failures) skipped=$(total_of skipped)
passed=$((passed + tests - failures - skipped))
failed=$((failed + failures))

# The report leaves out files that did not load, and is not written when Bun itself ends.
for file in $(find src test bench -name '*.test.ts'); do
  grep -q " file=\"$file\"" "$report" || {
    echo "no test ran in $file"
    failed=$((failed + 1))
  }
done
# An error between tests is in Bun's status only.
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
finish
