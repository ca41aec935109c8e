# Sourced by bin/all-smi and scripts/test.sh.

# Sets $bun to the Bun program under the node_modules folder $1; status 1 where there is none.
#
# npm unpacks it as @oven/bun-<platform>/bin/bun, for this platform only, and bun's install script moves it to
# bun/bin/bun.exe. Where install scripts do not run, bun/bin/bun.exe is a stub that prints an error.
# "bun/.." instead of $1 itself, as pnpm links bun to a folder where its dependencies lie beside it.
find_bun() {
  for platform in "$1"/bun/../@oven/bun-*; do
    [ -d "$platform" ] || continue
    bun=$platform/bin/bun
    [ -x "$bun" ] && return
    bun=$1/bun/bin/bun.exe
    [ -x "$bun" ] && return
  done
  return 1
}
