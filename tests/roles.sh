#!/usr/bin/env bash
# Roles behind the unix socket: the kernel says who asks, node.json which roles that is. Every command is tried by every role, by a
# stranger and by the node's own user; what a role may not do is refused by a line that names the role needed and who has it.
# usage: tests/roles.sh BUILD_FOLDER   (needs root, to be several users; else it is skipped)
set -euo pipefail
# shellcheck source=tests/ports.sh
source "$(dirname "$0")/ports.sh"
[ "$(id -u)" = 0 ] || { echo "roles: skipped: only root can be several users"; exit 77; }
command -v setpriv >/dev/null || { echo "roles: skipped: no setpriv (util-linux)"; exit 77; }

build=$(cd "$1" && pwd)
W=$(mktemp -d)
node=''
cleanup() {
  [ -z "$node" ] || kill "$node" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$W"
}
trap cleanup EXIT
fail() { echo "roles: $*" >&2; exit 1; }

# The users need no accounts: numbers do. The home stays closed to them; the program and the socket are elsewhere.
analyst=61001 operator=61002 officer=61003 auditors=62001 stranger=61999
chmod 755 "$W"
mkdir -m 755 "$W/run"
cp "$build/bin/firmiana" "$W/run/firmiana"
chmod 755 "$W/run/firmiana"
export FIRMIANA_PASSPHRASE="roles passphrase"
firmiana=$W/run/firmiana
ports_claim
"$firmiana" init --home "$W/home" --alias solo --listen "tcp://127.0.0.1:$port" >/dev/null
"$firmiana" ledger init --name roles --quorum 1 --sequencer solo --member "$W/home/member.json" --out "$W/home/genesis.json" >/dev/null
listen=$(sed -n 's/.*"listen": "\([^"]*\)".*/\1/p' "$W/home/node.json")
config() { printf '{"alias": "solo", "listen": "%s", "socket": "%s", "roles": %s}\n' "$listen" "$W/run/solo.sock" "$1" >"$W/home/node.json"; }

bad_config() { # what it must say, roles
  config "$2"
  out=$("$firmiana" node check --home "$W/home" 2>&1) && fail "accepted: $2"
  case $out in *"$1"*) ;; *) fail "for $2 it says: $out" ;; esac
}
bad_config "roles: 'x' must have a list of roles" '{"x": "analyst"}'
bad_config "this machine has no user 'no_such_user'" '{"no_such_user": ["analyst"]}'
bad_config "this machine has no group 'no_such_group'" '{"@no_such_group": ["analyst"]}'
bad_config "'61001' has an unknown role 'analist', perhaps analyst" '{"61001": ["analist"]}'
bad_config "member 'roles' must be an object" '["analyst"]'
bad_config "this machine has no user '4294967295'" '{"4294967295": ["analyst"]}'
config "{\"$analyst\": [\"analyst\"], \"$operator\": [\"operator\"], \"$officer\": [\"officer\"], \"@$auditors\": [\"auditor\"]}"
"$firmiana" node check --home "$W/home" >/dev/null

"$firmiana" node --home "$W/home" >"$W/node.out" 2>"$W/node.log" &
node=$!
for _ in $(seq 2000); do
  if "$firmiana" status --home "$W/home" >/dev/null 2>&1; then break; fi
  sleep 0.05
done

as() { # who command...
  local who=$1 ids
  shift
  case $who in
    own) FIRMIANA_HOME=$W/home "$firmiana" "$@"; return ;;
    auditor) ids="--reuid=61004 --regid=61004 --groups=$auditors" ;;
    *) ids="--reuid=${!who} --regid=${!who} --clear-groups" ;;
  esac
  # shellcheck disable=SC2086
  FIRMIANA_HOME=$W/run/solo.sock setpriv $ids "$firmiana" "$@"
}

[ "$(as own whoami)" = "root (uid 0) at solo: operator analyst officer auditor" ] || fail "own: $(as own whoami)"
[ "$(as analyst whoami)" = "uid $analyst at solo: analyst" ] || fail "analyst: $(as analyst whoami)"
[ "$(as auditor whoami)" = "uid 61004 at solo: auditor" ] || fail "auditor, by group: $(as auditor whoami)"

# The matrix: who may do what. A command may fail for another reason than the role.
cat >"$W/run/spec.json" <<'SPEC'
{"name": "x", "purpose": "p", "sql": "SELECT COUNT(*) FROM loans"}
SPEC
zeros=$(printf '0%.0s' $(seq 64))
printf '{"consent":{"type":"x"}}' >"$W/run/grant.json"
printf '{"contract":"%s"}' "$zeros" >"$W/run/revoke.json"
printf '{"contract":"%s","height":1,"consents":[],"parameters":"%s","requester":"%s","compute":["solo","solo","solo"],"deadline":1}' \
  "$zeros" "$zeros" "$zeros" >"$W/run/open.json"
cp "$W/home/keys/officer.json" "$W/run/officer.json"
chown $officer "$W/run/officer.json"
tried=0
may() { # "roles that may" command...
  local allowed=" $1 own " who out
  shift
  for who in own analyst operator officer auditor stranger; do
    out=$(as "$who" "$@" 2>&1) && out="ok: $out"
    tried=$((tried + 1))
    case $allowed in
      *" $who "*) case $out in *"needs the role"* | *"no node is running"*) fail "$who may not: $*: $out" ;; esac ;;
      *) case $out in *"needs the role"*) ;; *) fail "$who may: $*: $out" ;; esac ;;
    esac
  done
}
everyone="analyst operator officer auditor"
may "$everyone" status
may "$everyone" whoami
may "$everyone" member list
may "$everyone" dataset list
may "$everyone" contract show 00000000
may "operator" dataset publish --table loans
may "analyst" contract draft "$W/run/spec.json"
may "analyst" query run 00000000
may "analyst operator auditor" query list
may "auditor operator" audit list
may "analyst operator" tx submit consent.grant "$W/run/grant.json"
may "operator" tx submit query.open "$W/run/open.json"
for who in analyst auditor stranger; do # a key that they may read, so that it is the role that stops them
  cp "$W/run/officer.json" "$W/run/officer.$who.json"
done
chown $analyst "$W/run/officer.analyst.json"
chown 61004 "$W/run/officer.auditor.json"
out=$(as officer tx submit authorization.revoke "$W/run/revoke.json" --key "$W/run/officer.json" 2>&1) && fail "nothing to revoke"
case $out in *contract.unknown*) ;; *) fail "officer: $out" ;; esac
for who in analyst auditor; do
  out=$(as $who tx submit authorization.revoke "$W/run/revoke.json" --key "$W/run/officer.$who.json" 2>&1) && fail "$who submits"
  case $out in *"tx.submit needs the role operator or officer, and uid "*" has $who here: ask $operator, $officer, or "*) ;; *) fail "$who: $out" ;; esac
done
out=$(as stranger status 2>&1) && fail "a stranger is served"
case $out in *"this node needs the role operator or analyst or officer or auditor, and uid $stranger has none here"*) ;; *) fail "stranger: $out" ;; esac

# An export is written by the node into a file that the auditor opened: it is the auditor's, where the auditor may write.
mkdir -m 700 "$W/run/audit"
chown 61004 "$W/run/audit"
as auditor audit export --out "$W/run/audit/trail.bundle" >/dev/null
[ "$(stat -c %u "$W/run/audit/trail.bundle")" = 61004 ] || fail "the bundle is not the auditor's"
"$build/bin/firmiana-verify" "$W/run/audit/trail.bundle" >/dev/null || fail "the bundle is not valid"
out=$(as auditor audit export --out "$W/home/evil" 2>&1) && fail "an auditor writes into the home"
out=$(as analyst audit export --out /dev/shm/firmiana-roles-$$ 2>&1) && fail "an analyst exports"
case $out in *"audit.export needs the role auditor"*) ;; *) fail "analyst: $out" ;; esac
[ ! -e /dev/shm/firmiana-roles-$$ ] && [ ! -e /dev/shm/firmiana-roles-$$.part ] || fail "a refused export left a file"

grep -q '"event":"request".*"text":"audit.export by uid 61004"' "$W/node.log" || fail "the log does not say who exported"

# What the client says of itself is nothing: a path, a name, roles in the request.
raw() { # uid group request
  setpriv --reuid="$1" --regid="$1" --groups="$2" perl -MIO::Socket::UNIX -e '
    my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "connect"; print $s $ARGV[1], "\n"; print while <$s>' "$W/run/solo.sock" "$3"
}
case $(raw 61004 $auditors "{\"do\":\"audit.export\",\"out\":\"$W/run/audit/other.bundle\"}") in *"brings no file"*) ;; *) fail "a path is taken" ;; esac
[ ! -e "$W/run/audit/other.bundle" ] || fail "the node wrote where it was told"
case $(raw $analyst $analyst '{"do":"whoami","uid":0,"who":{"uid":0,"roles":15},"roles":["operator"]}') in
  *"\"person\":\"uid $analyst\",\"roles\":[\"analyst\"]"*) ;; *) fail "the client chooses who it is" ;; esac

# Strangers who hang on cost no slot.
hang=()
for _ in $(seq 40); do
  setpriv --reuid=$stranger --regid=$stranger --clear-groups perl -MIO::Socket::UNIX -e '
    my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]); sleep 20' "$W/run/solo.sock" &
  hang+=($!)
done
sleep 0.3
as analyst whoami >/dev/null || fail "strangers keep an analyst out"
kill "${hang[@]}" 2>/dev/null || true

kill "$node"
wait "$node" || true
node=''
[ ! -e "$W/run/solo.sock" ] || fail "the node left its socket"
echo "roles: $tried attempts, each as its role may"
