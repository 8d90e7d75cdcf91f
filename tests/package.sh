#!/usr/bin/env bash
# The Debian package: built from this build folder, opened, and looked at: programs, a manual page for every command, the
# unit, the completion, dependencies; and what is unpacked from it runs, to the demo's end under FIRMIANA_FULL=1.
# usage: tests/package.sh BUILD_FOLDER
set -euo pipefail

build=$(cd "$1" && pwd)
for tool in cpack dpkg-deb dpkg-shlibdeps file; do
  command -v "$tool" >/dev/null || { echo "SKIPPED: needs $tool (apt-get install cmake dpkg-dev file)"; exit 77; }
done
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
fail() { echo "package.sh: $*" >&2; exit 1; }

cpack -G DEB --config "$build/CPackConfig.cmake" -B "$W" -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip >"$W/log" 2>&1 || fail "cpack: $(tail -n 5 "$W/log")"
debs=("$W"/*.deb)
[ "${#debs[@]}" = 1 ] || fail "not one package: ${debs[*]}"
deb=${debs[0]}
mkdir "$W/root" "$W/control"
dpkg-deb -x "$deb" "$W/root"
dpkg-deb -e "$deb" "$W/control"

# ---- what is in it ----
[ "$(dpkg-deb -f "$deb" Package)" = firmiana ] || fail "it is called $(dpkg-deb -f "$deb" Package)"
depends=$(dpkg-deb -f "$deb" Depends)
for library in libc6 libjansson4 libmicrohttpd libpg-query libqrencode4 libsqlite3-0 libssl3 libzmq5 adduser sqlite3; do
  case $depends in *"$library"*) ;; *) fail "does not depend on $library: $depends" ;; esac
done
file() { [ -f "$W/root/$1" ] || fail "$1 is not in it"; [ "$(stat -c %a "$W/root/$1")" = "$2" ] || fail "$1 has mode $(stat -c %a "$W/root/$1")"; }
file usr/bin/firmiana 755
file usr/bin/firmiana-verify 755
file usr/lib/systemd/system/firmiana.service 644
file usr/share/bash-completion/completions/firmiana 644
file usr/share/firmiana/demo.sh 755
file usr/share/firmiana/schemas/person-identity.json 644
file usr/share/doc/firmiana/copyright 644
file usr/share/doc/firmiana/README.md 644
file usr/share/man/man1/firmiana.1.gz 644
file usr/share/man/man1/firmiana-verify.1.gz 644
file usr/share/man/man5/firmiana-node.json.5.gz 644
for script in postinst prerm postrm; do
  [ -x "$W/control/$script" ] || fail "$script is not there"
  sh -n "$W/control/$script" || fail "$script does not parse"
done
extra=$(cd "$W/root" && find . -type f ! -path './usr/bin/*' ! -path './usr/share/man/*' ! -path './usr/share/doc/firmiana/*' ! -path './usr/share/firmiana/schemas/*.json' | sort | tr '\n' ' ')
[ "$extra" = "./usr/lib/systemd/system/firmiana.service ./usr/share/bash-completion/completions/firmiana ./usr/share/firmiana/demo.sh ./usr/share/lintian/overrides/firmiana " ] ||
  fail "there is something else in it: $extra"
! find "$W/root" -type f -perm /022 | grep . || fail "others may write these"
if readelf -S "$W/root/usr/bin/firmiana" 2>/dev/null | grep '\.debug_info' >/dev/null; then fail "the program is not stripped"; fi

# ---- a page for every command, each with its options ----
firmiana=$W/root/usr/bin/firmiana
mapfile -t commands < <("$firmiana" --help | sed -n '/^commands:/,/^exit codes:/p' | sed -n 's/^  \([a-z-]*\( [a-z]\{1,\}\)\{0,2\}\)  .*/\1/p')
[ "${#commands[@]}" -ge 30 ] || fail "firmiana --help names ${#commands[@]} commands"
for c in "${commands[@]}"; do
  topic=${c// /-}
  [ "$c" != verify ] || topic=verify-signed # firmiana-verify(1) is the other program's
  page=$W/root/usr/share/man/man1/firmiana-$topic.1.gz
  [ -f "$page" ] || fail "firmiana $c has no manual page"
  gzip -dc "$page" >"$W/page"
  read -r -a words <<<"$c"
  while read -r option; do
    grep -qF ".B \\-\\-${option//-/\\-}" "$W/page" || fail "the page of $c does not explain --$option"
  done < <("$firmiana" "${words[@]}" --help | sed -n 's/^  --\([a-z-]*\).*/\1/p')
  grep -q "\.BR firmiana\\\\-${topic//-/\\\\-} (1)" <(gzip -dc "$W/root/usr/share/man/man1/firmiana.1.gz") || fail "firmiana(1) does not name $c"
done
[ "$(find "$W/root/usr/share/man/man1" -name 'firmiana*' | wc -l)" = $((${#commands[@]} + 2)) ] || fail "there are pages of no command"
if command -v mandoc >/dev/null; then
  for page in "$W"/root/usr/share/man/man?/*.gz; do
    gzip -dc "$page" | mandoc -T lint -W error || fail "$page is not clean roff"
  done
fi
for member in alias listen data log log_level metrics; do
  gzip -dc "$W/root/usr/share/man/man5/firmiana-node.json.5.gz" | grep "^\.B $member$" >/dev/null || fail "node.json's $member is not explained"
done

# ---- the unit ----
unit=$W/root/usr/lib/systemd/system/firmiana.service
grep -q '^  exec /usr/bin/firmiana node --home /var/lib/firmiana/home ' "$unit" || fail "the unit starts something else"
if command -v systemd-analyze >/dev/null && systemd-analyze --help | grep -- --offline >/dev/null; then
  exposure=$(systemd-analyze security --no-pager --offline=true "$unit" 2>/dev/null | sed -n 's/.*exposure level for firmiana.service: \([0-9.]*\).*/\1/p')
  case $exposure in 0.* | 1.* | '') ;; *) fail "the unit's exposure is $exposure" ;; esac
fi
if command -v systemd-analyze >/dev/null; then # every line is one that systemd knows
  complaints=$(systemd-analyze --man=no verify "$unit" 2>&1 | grep -F firmiana.service || true)
  [ -z "$complaints" ] || fail "systemd-analyze verify: $complaints"
fi

# ---- the completion ----
completes() { # words that must be offered, then the line
  local want=$1 word
  shift
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _firmiana
  for word in $want; do
    [[ " ${COMPREPLY[*]} " == *" $word "* ]] || fail "completion of '$*' lacks $word: ${COMPREPLY[*]}"
  done
}
# shellcheck disable=SC1090
source "$W/root/usr/share/bash-completion/completions/firmiana"
completes "query status init demo" firmiana ''
completes "run list" firmiana query ''
completes "epoch backup" firmiana ledger ''
completes "propose approve" firmiana ledger epoch ''
completes "--home --help" firmiana ledger epoch show --
completes "--param --consent --help" firmiana query run --
completes "check --home" firmiana node ''
completes "--home" firmiana node check --h
mkdir "$W/somewhere"
cd "$W"
completes "somewhere" firmiana status --home some

# ---- it runs from where it was unpacked ----
[ "$("$firmiana" --version)" = "firmiana $(dpkg-deb -f "$deb" Version)" ] || fail "the program's version is not the package's"
if [ "${FIRMIANA_FULL:-0}" = 1 ]; then "$firmiana" demo >"$W/demo.out" 2>&1 || fail "the demo: $(tail -n 3 "$W/demo.out")"; fi
if command -v lintian >/dev/null && [ "${FIRMIANA_FULL:-0}" = 1 ]; then lintian --allow-root --fail-on error "$deb" || fail "lintian finds errors"; fi
echo "${#commands[@]} commands with a manual page each; depends on $(sed 's/ ([^)]*)//g' <<<"$depends")"
