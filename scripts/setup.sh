#!/bin/sh
# Brings node_modules up to date with package-lock.json, in a clone; does nothing where it is. Status 1 where it cannot.
# Nothing goes to stdout: it may be the recording that somebody pipes.
cd "$(dirname "$0")/.." || exit 1

fail() {
  echo "all-smi: $1" >&2
  exit 1
}

up_to_date() {
  [ -e node_modules/.package-lock.json ] &&
    [ ! package-lock.json -nt node_modules/.package-lock.json ] &&
    [ -e node_modules/.bin/tsc ]
}

up_to_date && exit 0
command -v npm >/dev/null || fail "npm is missing; it comes with Node 20 or newer, and sets up this clone"
[ -w . ] || fail "this clone is not set up, and $PWD is not writable"

# The kernel takes the lock away when the last process that holds it ends. npm inherits it: a killed launcher leaves it
# to the npm that still works here. macOS has no flock: there, two first starts at once may get in each other's way.
exec 9>>.setup.lock
if command -v flock >/dev/null; then
  flock -n 9 || {
    echo "all-smi: waiting for another start that sets up this clone" >&2
    flock 9
  }
  up_to_date && exit 0
fi

echo "all-smi: setting up this clone (npm ci)" >&2
words=$(npm ci --include=dev 2>&1 </dev/null) || {
  printf '%s\n' "$words" | tail -n 20 >&2
  fail "npm ci failed in $PWD, in the words above"
}

# Where the clock was set back after the checkout, what was just installed looks older for good.
[ ! package-lock.json -nt node_modules/.package-lock.json ] ||
  touch -r package-lock.json node_modules/.package-lock.json
