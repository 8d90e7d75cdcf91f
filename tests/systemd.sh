#!/usr/bin/env bash
# The Debian package on a Debian 12 that has just been made, under a systemd that really runs: installed by apt, set up as the
# README says, started as the unit is written, with all of its hardening. A node under it answers queries with two others; it
# is killed, frozen, reloaded, upgraded, stopped, removed; each fault that a start cannot mend ends the restarts, and is named.
# The demo runs there, with the package and what it depends on; so do CometBFT under the unit, if build/tools has it, and a token.
# usage: tests/systemd.sh BUILD_FOLDER   (root; debootstrap, systemd-container; reaches a mirror: $FIRMIANA_DEBIAN, or Debian's)
set -euo pipefail
build=$(cd "$1" && pwd)
export PATH=$PATH:/usr/sbin
skip() { echo "systemd.sh: skipped: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "only root can boot a system"
for tool in debootstrap systemd-nspawn nsenter cpack dpkg-deb; do
  command -v "$tool" >/dev/null || skip "no $tool: apt-get install debootstrap systemd-container cmake dpkg-dev"
done
mirror=${FIRMIANA_DEBIAN:-http://deb.debian.org/debian}
W=$(mktemp -d)
R=$W/root
nspawn='' leader=''

cleanup() {
  local status=$?
  [ "$status" -eq 0 ] || [ "$status" -eq 77 ] || { [ -z "$leader" ] || log 20 >&2; }
  if [ -n "$nspawn" ]; then # the second is for a system that does not halt
    kill "$nspawn" 2>/dev/null || true
    for _ in $(seq 100); do kill -0 "$nspawn" 2>/dev/null || break; sleep 0.1; done
    kill "$nspawn" 2>/dev/null || true
    wait "$nspawn" 2>/dev/null || true
  fi
  if [ "$status" -eq 0 ] || [ "$status" -eq 77 ] || [ -z "${FIRMIANA_KEEP:-}" ]; then rm -rf --one-file-system "$W"; else echo "systemd.sh: kept: $W" >&2; fi
}
trap cleanup EXIT
log() { inside journalctl -u firmiana --no-pager -o cat -n "${1:-12}" 2>/dev/null || true; }
fail() { echo "systemd.sh: $*" >&2; exit 1; }
step() { echo "systemd.sh: $((SECONDS)) s: $*"; }
inside() { nsenter -t "$leader" -a -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin FIRMIANA_PASSPHRASE="$passphrase" "$@"; }
passphrase="of the unit 5829 and of nobody else"
home=/var/lib/firmiana/home
as() { inside runuser -u firmiana -- firmiana "$@" --home $home; } # as the README has it
until_true() { # what, command...
  local what=$1
  shift
  for _ in $(seq 1200); do
    if "$@"; then return 0; fi
    sleep 0.1
  done
  fail "$what: it did not come about"
}
property() { inside systemctl show firmiana --value -p "$1"; }
is() { [ "$(property "$1")" = "$2" ]; }

# ---- the system ----
cpack -G DEB --config "$build/CPackConfig.cmake" -B "$W" -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip >"$W/log" 2>&1 || fail "cpack: $(tail -n 5 "$W/log")"
deb=$(echo "$W"/*.deb)
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus bookworm "$R" "$mirror" >"$W/log" 2>&1 ||
  skip "debootstrap from $mirror: $(tail -n 1 "$W/log")"
cp "$deb" "$R/root/firmiana.deb"
chroot "$R" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends /root/firmiana.deb >"$W/log" 2>&1 || fail "apt: $(tail -n 5 "$W/log")"
[ "$(stat -c %a "$R/etc/firmiana") $(stat -c %a "$R/var/lib/firmiana")" = "700 700" ] || fail "its folders are open to others"
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -D "$R" --boot --register=no --keep-unit --private-network --console=pipe \
  --machine="fm$$" </dev/null >"$W/boot.log" 2>&1 &
nspawn=$!
booted() {
  leader=$(pgrep -P "$nspawn") && inside test -S /run/systemd/private 2>/dev/null && return 0
  kill -0 "$nspawn" 2>/dev/null || { leader='' nspawn=''; skip "systemd cannot be booted here: $(tail -n 1 "$W/boot.log")"; }
  return 1
}
until_true "systemd begins" booted
state=$(inside systemctl is-system-running --wait || true)
[ "$state" = running ] || fail "the new system is '$state': $(inside systemctl --failed --no-pager)"
step "Debian $(cat "$R/etc/debian_version") boots, $(inside systemctl --version | head -n 1)"

# ---- the demo, where there is the package, what it depends on, and no source ----
in_root() { inside env -C /root "$@"; }
in_root firmiana demo >"$W/demo" 2>&1 || fail "firmiana demo: $(tail -n 5 "$W/demo")"
step "the demo runs with the package alone"

# ---- a start before there is anything to start: one line says what is missing, and nothing is tried again ----
refused() { # what the journal or the status must say
  ! inside systemctl start firmiana 2>/dev/null || fail "started, though: $1"
  inside systemctl status firmiana --no-pager -n 20 >"$W/status" 2>&1 || true
  grep -qF -- "$1" "$W/status" || fail "systemctl status does not say '$1': $(cat "$W/status")"
  ! is SubState auto-restart || fail "systemd would start it again, though: $1"
  inside systemctl reset-failed firmiana 2>/dev/null || true
}
refused "/etc/firmiana/passphrase: not there, or empty"
printf %s "$passphrase" >"$R/root/passphrase.txt"
inside install -m 600 /root/passphrase.txt /etc/firmiana/passphrase
refused "make a home with firmiana init"

# ---- the home, as the README has it; two more members for company ----
port=7100
as init --alias bank_a --listen tcp://0.0.0.0:7100 --endpoint tcp://127.0.0.1:7100 >/dev/null
in_root firmiana demo-data data --rows 60 --banks 2 >"$W/data.txt"
for m in bank_b regulator; do
  port=$((port + 1))
  in_root firmiana init --home $m --alias $m --listen tcp://127.0.0.1:$port >/dev/null
done
in_root firmiana ledger init --name systemd --quorum 3 --sequencer bank_a --out genesis.json \
  --member $home/member.json --member bank_b/member.json --member regulator/member.json >/dev/null
in_root install -o firmiana -g firmiana -m 600 genesis.json $home/
in_root install -o firmiana -g firmiana -m 600 data/bank_a.db $home/data.db
in_root cp data/bank_b.db bank_b/data.db
for m in bank_b regulator; do
  in_root cp genesis.json $m/
  inside systemd-run -q --unit=$m --setenv=FIRMIANA_PASSPHRASE="$passphrase" firmiana node --home /root/$m
done
as node check --keys >"$W/check" || fail "node check: $(cat "$W/check")"
inside systemctl enable -q --now firmiana || fail "it does not start"
connected() { [ "$(as status --json 2>/dev/null | sed -n 's/.*"connected":\([0-9]*\).*/\1/p')" = 2 ]; }
until_true "all are connected" connected
inside systemctl status firmiana --no-pager >"$W/status"
grep -q 'Status: "taking requests"' "$W/status" || fail "its status is not told: $(cat "$W/status")"
step "the node runs"

# ---- what the unit promises is so in the process ----
pid=$(property MainPID)
has() { inside grep -q "^$1:[[:space:]]*$2\$" "/proc/$pid/status" || fail "the node's $1: $(inside grep "^$1:" "/proc/$pid/status")"; }
[ "$(inside readlink "/proc/$pid/exe")" = /usr/bin/firmiana ] || fail "the main process is another"
has Uid "$(inside id -u firmiana)[[:space:]].*"
has CapEff 0000000000000000
has CapBnd 0000000000000000
has NoNewPrivs 1
has Seccomp 2
! inside grep -qsz "$passphrase" "/proc/$pid/environ" "/proc/$pid/cmdline" || fail "the passphrase is in its environment or arguments"
sees() { inside nsenter -t "$pid" -m -- setpriv --reuid firmiana --regid firmiana --clear-groups "$@" 2>/dev/null; }
sees touch $home/.probe && sees rm $home/.probe || fail "it could not write its home"
! sees touch /var/lib/other || fail "it could write elsewhere"
! sees touch /etc/firmiana/x || fail "it could write /etc"
! sees cat /etc/firmiana/passphrase >/dev/null || fail "its user reads the passphrase's file"
exposure=$(inside systemd-analyze security --no-pager firmiana | sed -n 's/.*exposure level for firmiana.service: \([0-9.]*\).*/\1/p')
case $exposure in 0.* | 1.*) ;; *) fail "the unit's exposure is $exposure" ;; esac

# ---- queries through all of it ----
in_root tee spec.json >/dev/null <<'SPEC'
{"name": "portfolio", "purpose": "statistics",
 "sql": "SELECT product, COUNT(*) AS n, SUM(balance) AS total, MAX(overdue_days) AS worst FROM loans GROUP BY product ORDER BY product",
 "compute": ["bank_a", "bank_b", "regulator"], "recipients": ["bank_a"],
 "minimum_group": 5, "consent": {"requirement": "none", "basis": "aggregates of at least 5 subjects"}}
SPEC
inside install -o firmiana -m 600 /root/spec.json $home/spec.json
at() { local m=$1; shift; in_root firmiana "$@" --home "$m"; }
as dataset publish --table loans >/dev/null
at bank_b dataset publish --table loans >/dev/null
as contract draft $home/spec.json --out $home/contract.json >/dev/null
contract=$(inside sh -c "tr -d '\n' <$home/contract.json | sha256sum" | cut -d' ' -f1)
as contract propose $home/contract.json >/dev/null
as contract authorize "$contract" >/dev/null
at bank_b contract authorize "$contract" >/dev/null
ask() { as query run "$contract" --csv; }
ask >"$W/answer" || fail "the query: $(cat "$W/answer")"
[ "$(wc -l <"$W/answer")" -ge 2 ] || fail "an empty answer"
as ledger backup $home/backup.db >/dev/null || fail "no backup"
again() { ask >"$W/again" 2>/dev/null && cmp -s "$W/answer" "$W/again"; }
step "the node answers, exposure $exposure"

# ---- the journal: JSON lines under the program's name, and no secret ----
inside journalctl -u firmiana -t firmiana --no-pager -o cat --since "$(property ActiveEnterTimestamp | cut -d' ' -f2,3)" >"$W/journal"
grep -q '"event":"query.end",.*"done, closed by everyone"' "$W/journal" || fail "the journal has no query: $(cat "$W/journal")"
! grep -v '^{.*"event":".*"time":"[0-9T:.-]*Z"}$' "$W/journal" || fail "these lines are no log entries"
! inside journalctl --no-pager -o cat | grep -F "$passphrase" || fail "the passphrase is in the journal"
inside systemctl reload firmiana
as status >/dev/null || fail "a reload ended it"

# ---- roles by the socket that the README names: real users, seen through the unit's namespaces ----
inside useradd -M alice
inside sh -c "echo '{\"alias\": \"bank_a\", \"listen\": \"tcp://0.0.0.0:7100\", \"socket\": \"/run/firmiana/node.sock\", \"roles\": {\"alice\": [\"analyst\"]}}' >$home/node.json"
inside systemctl restart firmiana
said=$(inside runuser -u alice -- env FIRMIANA_HOME=/run/firmiana/node.sock firmiana whoami)
case $said in "alice (uid "*" at bank_a: analyst") ;; *) fail "alice is '$said'" ;; esac

# ---- it is killed, and frozen: systemd starts it again, and nothing is lost ----
restarted() { is SubState running && ! is MainPID "$pid" && connected; }
pid=$(property MainPID)
inside systemctl kill -s KILL firmiana
until_true "it is started again after kill -9" restarted
until_true "it answers as before" again
inside mkdir -p /run/systemd/system/firmiana.service.d
inside sh -c 'printf "[Service]\nWatchdogSec=4\n" >/run/systemd/system/firmiana.service.d/watchdog.conf'
inside systemctl daemon-reload
inside systemctl restart firmiana
pid=$(property MainPID)
sleep 10
is MainPID "$pid" || fail "a node that is well missed its watchdog of 4 s: $(log)"
inside sh -c "kill -STOP $pid"
until_true "a frozen node is started again" restarted
log 40 | grep "Watchdog timeout" >/dev/null || fail "something else ended it"
inside rm /run/systemd/system/firmiana.service.d/watchdog.conf
inside systemctl daemon-reload
until_true "it answers as before" again
step "killed and frozen, it came back"

# ---- what a start cannot mend ends the restarts, and is named; mended, it goes on ----
inside systemctl stop firmiana
[ "$(property Result) $(property ExecMainStatus)" = "success 0" ] || fail "a stop ends with $(property Result) $(property ExecMainStatus)"
mended() { # what it must say, the file, command that spoils it
  local says=$1 file=$2
  shift 2
  inside cp -a "$file" /root/kept
  "$@"
  refused "$says"
  inside rm -rf "$file"
  inside mv /root/kept "$file"
}
mended "the passphrase is wrong" /etc/firmiana/passphrase inside sh -c 'echo another >/etc/firmiana/passphrase'
mended "/etc/firmiana/passphrase: not there, or empty" /etc/firmiana/passphrase inside rm /etc/firmiana/passphrase
mended "did you mean 'alias'" $home/node.json inside sed -i 's/alias/alais/' $home/node.json
mended "there is no such key file" $home/keys inside rm $home/keys/assertion.json
mended "not a Firmiana ledger" $home/ledger.db inside sh -c "head -c 5000 /dev/urandom >$home/ledger.db"
mended "sessions.db: damaged" $home/sessions.db inside sh -c "head -c 5000 /dev/urandom >$home/sessions.db"
page() { inside sh -c "head -c 4000 /dev/urandom | dd of=$home/ledger.db bs=4096 seek=1 conv=notrunc 2>/dev/null"; }
mended "ledger.db: damaged" $home/ledger.db page
inside systemd-run -q --unit=other perl -MIO::Socket::INET -e '@s = (IO::Socket::INET->new(LocalAddr => "0.0.0.0:7100", Listen => 1) or die); sleep 1000' ||
  fail "no perl"
until_true "the port is taken" inside grep -q ':1BBC [0-9A-F:]* 0A ' /proc/net/tcp # 7100, listening
refused "the port is in use"
inside systemctl stop other
# What the system denies for a while is tried again until it does not.
inside chown root $home/keys/assertion.json
! inside systemctl start firmiana 2>/dev/null || fail "it started without a key"
is SubState auto-restart || fail "a file that may not be read ends the restarts: $(property SubState)"
inside chown firmiana $home/keys/assertion.json
until_true "it is started again" is SubState running
until_true "mended, it answers as before" again
step "9 faults named, and mended"

# ---- CometBFT, which the node runs inside its unit; one validator, since it is the unit that is looked at ----
comet=$(PATH=$PWD/build/tools:$PATH command -v cometbft || true)
if [ -n "$comet" ]; then
  inside systemctl stop firmiana
  install -m 755 "$comet" "$R/usr/local/bin/cometbft"
  inside mv $home $home.embedded
  as init --alias bank_c --listen tcp://0.0.0.0:7110 --endpoint tcp://127.0.0.1:7110 --engine cometbft --consensus tcp://127.0.0.1:7111 >/dev/null
  in_root firmiana ledger init --name ordered --quorum 1 --engine cometbft --out ordered.json --member $home/member.json >/dev/null
  in_root install -o firmiana -g firmiana -m 600 ordered.json $home/genesis.json
  in_root install -o firmiana -g firmiana -m 600 data/bank_a.db $home/data.db
  inside systemctl start firmiana || fail "with CometBFT it does not start: $(log)"
  ordered() { as dataset publish --table loans >"$W/published" 2>&1 && grep -q "final at height" "$W/published"; }
  until_true "CometBFT orders" ordered
  comet_pid() { as status --json | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'; }
  pid=$(comet_pid)
  [ "$(inside readlink "/proc/$pid/exe")" = /usr/local/bin/cometbft ] || fail "process $pid is no CometBFT"
  has Seccomp 2
  has NoNewPrivs 1
  has CapEff 0000000000000000
  sees touch $home/cometbft/.probe && sees rm $home/cometbft/.probe || fail "CometBFT could not write its folder"
  ! sees touch /usr/local/bin/x || fail "CometBFT could write programs"
  inside sh -c "kill -9 $pid"
  comet_anew() { local now; now=$(comet_pid) && [ "${now:-0}" != 0 ] && [ "$now" != "$pid" ]; }
  until_true "the node starts its CometBFT again" comet_anew
  until_true "CometBFT orders after kill -9" ordered
  pid=$(comet_pid)
  inside systemctl stop firmiana
  [ "$(property Result) $(property ExecMainStatus)" = "success 0" ] || fail "with CometBFT a stop ends with $(property Result) $(property ExecMainStatus)"
  ! inside test -e "/proc/$pid" || fail "a stop leaves CometBFT behind"
  inside rm -rf $home
  inside mv $home.embedded $home
  inside systemctl start firmiana
  until_true "with its own home it answers as before" again
  step "CometBFT runs under the unit"
else
  step "no cometbft in build/tools: not tried under the unit"
fi

# ---- an officer's key in a token, under the unit's hardening ----
chroot "$R" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends softhsm2 libp11-kit0 >"$W/log" 2>&1 || fail "apt: $(tail -n 5 "$W/log")"
inside sh -c "mkdir -p $home/tokens && echo 'directories.tokendir = $home/tokens' >$home/softhsm2.conf && chown -R firmiana $home/tokens $home/softhsm2.conf"
token() { inside runuser -u firmiana -- env SOFTHSM2_CONF=$home/softhsm2.conf "$@"; }
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2>/dev/null | openssl pkcs8 -topk8 -nocrypt -out "$R$home/imported.pem"
inside chown firmiana $home/imported.pem
token softhsm2-util --init-token --free --label bank --pin 4321 --so-pin 8765 >/dev/null
token softhsm2-util --import $home/imported.pem --token bank --label officer --id 01 --pin 4321 >/dev/null
token firmiana officer create --token "pkcs11:token=bank;object=officer?module-path=/usr/lib/softhsm/libsofthsm2.so" --out $home/token.json \
  --passphrase-fd 3 3<<<4321 >"$W/token" 2>&1 || fail "the token: $(cat "$W/token")"
as officer add "$(tail -n 1 "$W/token")" >"$W/log" 2>&1 || fail "the token's key is not added: $(cat "$W/log")"
# The unit as it is, but for what it runs, and the PIN, which systemd hands over.
inside mkdir -p /run/systemd/system/token.service.d
inside cp /usr/lib/systemd/system/firmiana.service /run/systemd/system/token.service
cat >"$W/token.conf" <<UNIT
[Service]
Type=oneshot
WatchdogSec=0
Restart=no
LoadCredential=
SetCredential=
SetCredential=passphrase:4321
Environment=SOFTHSM2_CONF=$home/softhsm2.conf
ExecReload=
ExecStart=
ExecStart=/bin/sh -c 'exec /usr/bin/firmiana contract authorize $contract --home $home --key $home/token.json --passphrase-fd 3 3<"\$CREDENTIALS_DIRECTORY/passphrase"'
StandardOutput=journal
UNIT
inside tee /run/systemd/system/token.service.d/what.conf <"$W/token.conf" >/dev/null
inside systemctl daemon-reload
inside systemctl start token || fail "a token does not sign under the unit: $(inside journalctl -u token --no-pager -o cat -n 5)"
inside journalctl -u token --no-pager -o cat | grep "authorization: final at height" >/dev/null || fail "under the unit: $(inside journalctl -u token --no-pager -o cat -n 5)"
step "a token signs under the unit's hardening"

# ---- an upgrade stops and starts it, a removal stops it and keeps the home ----
pid=$(property MainPID)
inside dpkg -i /root/firmiana.deb >/dev/null 2>&1 || fail "the package cannot be installed over itself"
until_true "an upgrade starts it again" restarted
until_true "upgraded, it answers as before" again
inside dpkg -r firmiana >/dev/null 2>&1 || fail "the package cannot be removed"
left=$(inside find /proc -maxdepth 1 -name '[0-9]*' -user firmiana)
[ -z "$left" ] || fail "removed, something still runs: $left"
inside dpkg -P firmiana >"$W/purged" 2>&1
grep -q "/var/lib/firmiana is kept" "$W/purged" || fail "purge does not say that it keeps the home"
inside test -s $home/keys/assertion.json || fail "purge took the keys"
step "upgraded and removed"
