#!/usr/bin/env bash
# The arrows of design.md section 1. For every target a file is compiled exactly as the target's own sources are: it includes
# a header of each folder that the table below permits, and holds that of no other folder a header can be found. Then: no include climbs with "../", no room but its own uses ZeroMQ or SQLite, and the rooms that must need
# neither are configured and built where pkg-config knows neither.
# usage: tests/arrows.sh BUILD_FOLDER
set -euo pipefail

build=$(cd "$1" && pwd)
source=$(cd "$(dirname "$0")/.." && pwd)
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
fail() { echo "arrows.sh: $*" >&2; exit 1; }
commands=$build/compile_commands.json
[ -f "$commands" ] || fail "$commands: not there"

# target: the folders whose headers it may include. net/transport.h is a folder of its own;
# who sees mpc sees the folders in it; mpc/curve, mpc/paillier and mpc/psi see nothing of mpc.
table='
base               base
net                base net transport
net_sim            base net transport
net_zmq            base net transport
did                base did
mpc                base mpc mpc/curve mpc/paillier mpc/psi transport
mpc_debug          base mpc mpc/curve mpc/paillier mpc/psi transport
mpc_curve          base mpc/curve
mpc_paillier       base mpc/curve mpc/paillier
mpc_psi            base mpc/curve mpc/paillier mpc/psi
ledger_proof       base did ledger/proof
ledger_verify      base did ledger/proof ledger/verify
ledger_transparency base did ledger/proof ledger/transparency
ledger_machine     base did ledger/proof ledger/machine
ledger_store       base did ledger/proof ledger/verify ledger/machine ledger/store
ledger_engine      base did ledger/proof ledger/verify ledger/machine ledger/store ledger/engine
ledger_abci        base did ledger/proof ledger/verify ledger/machine ledger/store ledger/engine ledger/abci
firmiana-verify    base did ledger/proof ledger/verify ledger/transparency
exchange_comet     base did ledger/proof ledger/verify ledger/machine ledger/store ledger/engine ledger/abci exchange/comet
exchange_value     base exchange/data
exchange_data      base exchange/data
exchange_root      base did ledger/proof exchange/data
exchange_changes   base did ledger/proof exchange/data
exchange_sql_parse base exchange/data exchange/sql/parse
exchange_sql_plan  base exchange/data exchange/sql/parse exchange/sql/plan
exchange_sql_bind  base exchange/data exchange/sql/parse exchange/sql/plan exchange/sql/bind
exchange_sql_physical base exchange/data exchange/sql/parse exchange/sql/plan exchange/sql/physical
exchange_run       base mpc mpc/curve mpc/paillier mpc/psi transport exchange/data exchange/sql/parse exchange/sql/plan exchange/sql/physical exchange/run
exchange_aggregate base mpc mpc/curve mpc/paillier mpc/psi transport exchange/data exchange/sql/parse exchange/sql/plan exchange/sql/physical exchange/run exchange/aggregate
exchange_intersect base mpc mpc/curve mpc/paillier mpc/psi transport exchange/data exchange/sql/parse exchange/sql/plan exchange/sql/physical exchange/run exchange/intersect
exchange_evidence  base did ledger/proof ledger/verify exchange/evidence
exchange_resolve   base did exchange/resolve
exchange_copies    base did exchange/copies
exchange_contract  base did ledger/proof ledger/verify exchange/data exchange/sql/parse exchange/sql/plan exchange/sql/bind exchange/sql/physical mpc mpc/curve mpc/paillier mpc/psi transport exchange/run exchange/aggregate exchange/intersect exchange/contract
exchange_session   base did ledger/proof ledger/verify exchange/data exchange/sql/parse exchange/sql/plan exchange/sql/bind exchange/sql/physical mpc mpc/curve mpc/paillier mpc/psi transport exchange/run exchange/aggregate exchange/intersect exchange/contract exchange/session
exchange_node      base did ledger/proof ledger/verify ledger/machine ledger/store ledger/engine ledger/abci exchange/comet mpc mpc/curve mpc/paillier mpc/psi net transport exchange/data exchange/sql/parse exchange/sql/plan exchange/sql/bind exchange/sql/physical exchange/run exchange/aggregate exchange/intersect exchange/contract exchange/session exchange/copies exchange/node
exchange_wallet    base did ledger/proof ledger/verify net transport exchange/wallet
exchange_cli       base exchange/wallet did exchange/evidence ledger/transparency ledger/proof ledger/verify ledger/machine ledger/store ledger/engine ledger/abci exchange/comet mpc mpc/curve mpc/paillier mpc/psi net transport exchange/data exchange/sql/parse exchange/sql/plan exchange/sql/bind exchange/sql/physical exchange/run exchange/aggregate exchange/intersect exchange/contract exchange/session exchange/copies exchange/node exchange/cli exchange/resolve
firmiana           base exchange/wallet did exchange/evidence ledger/transparency ledger/proof ledger/verify ledger/machine ledger/store ledger/engine ledger/abci exchange/comet mpc mpc/curve mpc/paillier mpc/psi net transport exchange/data exchange/sql/parse exchange/sql/plan exchange/sql/bind exchange/sql/physical exchange/run exchange/aggregate exchange/intersect exchange/contract exchange/session exchange/copies exchange/node exchange/cli exchange/resolve
'
declare -A header=([base]=base/status.h [net]=net/node.h [transport]=net/transport.h [did]=did/suite.h [mpc]=mpc/session.h [mpc/paillier]=mpc/paillier/key.h [mpc/curve]=mpc/curve/curve.h [mpc/psi]=mpc/psi/psi.h
  [ledger/transparency]=ledger/transparency/published.h [ledger/proof]=ledger/proof/log.h [ledger/verify]=ledger/verify/verify.h [ledger/machine]=ledger/machine/machine.h
  [ledger/store]=ledger/store/chain.h [ledger/engine]=ledger/engine/engine.h [ledger/abci]=ledger/abci/app.h [exchange/comet]=exchange/comet/member.h [exchange/wallet]=exchange/wallet/wallet.h [exchange/data]=exchange/data/schema.h [exchange/sql/parse]=exchange/sql/parse/syntax.h [exchange/sql/plan]=exchange/sql/plan/plan.h
  [exchange/sql/bind]=exchange/sql/bind/compile.h [exchange/sql/physical]=exchange/sql/physical/physical.h [exchange/run]=exchange/run/run.h [exchange/aggregate]=exchange/aggregate/run.h [exchange/intersect]=exchange/intersect/run.h
  [exchange/evidence]=exchange/evidence/page.h [exchange/copies]=exchange/copies/copies.h [exchange/resolve]=exchange/resolve/resolve.h [exchange/contract]=exchange/contract/contract.h [exchange/session]=exchange/session/session.h
  [exchange/node]=exchange/node/node.h [exchange/cli]=exchange/cli/args.h)

# Every folder that has a target has a row, or this test sees less than it says.
for folder in "$source"/*/ "$source"/{mpc,ledger,exchange}/*/ "$source"/exchange/sql/*/; do
  folder=${folder#"$source"/} folder=${folder%/}
  case $folder in ledger | exchange | exchange/sql | tests | benches | build) continue ;; esac
  [ ! -f "$source/$folder/CMakeLists.txt" ] || [ -n "${header[$folder]:-}" ] || fail "$folder has no row in this test's table"
done

# How the target's sources are compiled, without the file and the output.
flags_of() {
  grep -m 1 -F "CMakeFiles/$1.dir/" "$commands" | sed -E 's/^ *"command": "//; s/",?$//; s/ -o .*//; s/\\"/"/g; s/\\\\/\\/g; s/\\"/"/g'
}
compiles() { # flags... of $W/one.c
  (cd "$build" && eval "$1 -fsyntax-only \"$W/one.c\"") >"$W/out" 2>&1
}
for folder in "${!header[@]}"; do # else nobody would find it
  [ -f "$source/${header[$folder]}" ] || fail "${header[$folder]}: not there"
done
permitted=0 forbidden=0
forbid() { printf '#if __has_include("%s")\n#error "reaches %s"\n#endif\n' "$1" "$1" && forbidden=$((forbidden + 1)); }
while read -r target allowed; do
  [ -n "$target" ] || continue
  flags=$(flags_of "$target") || fail "no source of target $target in $commands"
  : >"$W/one.c"
  for folder in "${!header[@]}"; do
    case " $allowed " in
      *" $folder "*) printf '#include "%s"\n' "${header[$folder]}" && permitted=$((permitted + 1)) ;;
      *) forbid "${header[$folder]}" ;;
    esac
  done >>"$W/one.c"
  if [ "$target" = mpc ]; then # it sees the transport and nothing else of net
    for h in "$source"/net/*.h; do
      h=net/$(basename "$h")
      [ "$h" = net/transport.h ] || forbid "$h"
    done >>"$W/one.c"
  fi
  compiles "$flags" || fail "$target: an arrow that the table permits and does not build, or forbids and builds: $(grep -m 1 error "$W/out")"
done <<<"$table"

# A header brings what it needs itself.
flags=$(flags_of firmiana)
for folder in "${!header[@]}"; do
  printf '#include "%s"\n' "${header[$folder]}" >"$W/one.c"
  compiles "$flags" || fail "${header[$folder]} by itself: $(grep -m 1 error "$W/out")"
done

if grep -rnE '^ *# *include +"(\.\./|[^"]*/\.\./|/)' --include='*.[ch]' "$source"/{base,net,did,mpc,ledger,exchange,benches,tests}; then
  fail "an include climbs out of its room"
fi

# Who calls ZeroMQ and SQLite, by the symbols that the archives leave open.
uses() { nm -u "$1" 2>/dev/null | grep -E " $2" >/dev/null; } # not -q: who leaves first fails nm, and with it the pipe
while IFS= read -r archive; do
  name=$(basename "$archive" .a)
  case $name in libnet_zmq) ;; *) ! uses "$archive" zmq_ || fail "$name calls ZeroMQ" ;; esac
  case $name in
    libledger_store | libexchange_data | libexchange_changes | libexchange_copies | libexchange_node | *test* | *consortium* | *conformance*) ;;
    *) ! uses "$archive" sqlite3_ || fail "$name calls SQLite" ;;
  esac
done < <(find "$build" -maxdepth 3 -name 'lib*.a')
if ldd "$build/bin/firmiana-verify" | grep -E 'zmq|sqlite|libpq|curl|libssl'; then fail "firmiana-verify is more than small"; fi

# Where pkg-config knows neither ZeroMQ nor SQLite.
mkdir "$W/pc"
IFS=:
for folder in $(pkg-config --variable pc_path pkg-config); do
  for f in "$folder"/*.pc; do
    case $f in */libzmq.pc | */sqlite3.pc | */\*.pc) ;; *) ln -sf "$f" "$W/pc/" ;; esac
  done
done
unset IFS
export PKG_CONFIG_LIBDIR=$W/pc PKG_CONFIG_PATH=
! pkg-config --exists libzmq && ! pkg-config --exists sqlite3 || fail "the files of pkg-config are not hidden"
configure() { # folder, rooms, without
  cmake -S "$source" -B "$W/$1" -G Ninja -DFIRMIANA_ROOMS="$2" -DFIRMIANA_WITHOUT="$3" -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_C_FLAGS="-O0 -Wno-cpp" >"$W/$1.log" 2>&1
}
configure bare "net;did;mpc;ledger" "zmq;sqlite" || fail "net, did, mpc and ledger_proof do not configure without ZeroMQ and SQLite: $(tail -n 3 "$W/bare.log")"
configure mpc "net;mpc" zmq || fail "mpc does not configure without ZeroMQ: $(tail -n 3 "$W/mpc.log")"
configure did "did" "" || fail "did does not configure by itself: $(tail -n 3 "$W/did.log")"
! configure ledger "did;ledger" "" || fail "hiding SQLite changed nothing: the ledger still configures"
cmake --build "$W/bare" --target firmiana-verify mpc net >"$W/bare.log" 2>&1 || fail "they do not build: $(grep -m 1 error "$W/bare.log")"
"$W/bare/bin/firmiana-verify" --help >/dev/null || fail "firmiana-verify does not run"
echo "$permitted permitted arrows build, $forbidden forbidden ones find no header; mpc, net and firmiana-verify build without ZeroMQ and SQLite"
