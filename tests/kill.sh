#!/usr/bin/env bash
# kill -9 of any nodes at any moment of any queries: three banks and a regulator as real processes over loopback.
# usage: tests/kill.sh BUILD_FOLDER [ROUNDS]      FIRMIANA_FULL=1: 1000 rounds      FIRMIANA_SEED=N: the same choices again
#        engine=cometbft tests/kill.sh ...        CometBFT orders, and is itself killed now and then   FIRMIANA_MINUTES=N: so long
#
# Roles: bank_a, bank_b and the regulator compute, all banks provide, bank_a or bank_c asks, the regulator sequences. A round
# asks one to three queries of several shapes, now and then publishes a table beside them, and some milliseconds into it
# kills one or two nodes (now and then: asks them to stop, which must end with exit code 0) and starts them again. Then:
#   - each caller has an answer or an error of one line, within the query's time-out and a margin;
#   - an answer that was given is what SQLite says, and it is on the ledger for good;
#   - a publication that was acknowledged is on the ledger for good, where it was said to be;
#   - the ledgers of those that were killed open at a whole block, and all four come to the same log;
#   - every query ends as done, aborted or refused on the ledger, an ended one that is not done with its rule.
# At the end firmiana-verify finds every replica's trail valid and the same, and SIGTERM drains all of them: exit code 0.
set -euo pipefail
build=$(cd "$1" && pwd) name=kill.sh
rounds=${2:-}
sanitized=$(grep -c '^FIRMIANA_SANITIZE:STRING=.' "$build/CMakeCache.txt" || true) # slow, and no different: fewer rounds
if [ -z "$rounds" ]; then
  if [ "$sanitized" != 0 ]; then rounds=6; elif [ "${FIRMIANA_FULL:-0}" = 1 ]; then rounds=1000; else rounds=20; fi
fi
seed=${FIRMIANA_SEED:-$(($(date +%s) % 32768))}
RANDOM=$seed
engine=${engine:-embedded} minutes=${FIRMIANA_MINUTES:-0}
if [ "$engine" = cometbft ]; then
  export PATH=$PWD/build/tools:$PATH
  command -v cometbft >/dev/null || { echo "kill.sh: skipped: no cometbft program: ./run cometbft installs it"; exit 77; }
fi
# shellcheck source=tests/homes.sh
. tests/homes.sh
query_timeout=15
echo "kill.sh: FIRMIANA_SEED=$seed"

# ---- the consortium ----
homes_make 600
for b in bank_b bank_c; do
  sqlite3 "$W/$b/data.db" "CREATE TABLE other(x INTEGER NOT NULL);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO other SELECT i FROM n"
done
echo '{"columns": [{"name": "x", "type": "INTEGER", "range": [1, 20000], "nullable": false}], "keys": [], "rows": 20000, "version": 1}' >"$W/other.json"
homes_start
for b in "${banks[@]}"; do as "$b" dataset publish --table loans >/dev/null; done
shapes=(
  'SELECT COUNT(*) AS n, MAX(overdue_days) AS worst, MIN(overdue_days) AS least FROM loans WHERE overdue_days > $1'
  'SELECT COUNT(*) AS n, SUM(rate_bp) AS s FROM loans WHERE overdue_days > $1 AND NOT closed'
  'SELECT COUNT(*) AS n, SUM(CASE WHEN rate_bp > 500 THEN overdue_days ELSE 0 END) AS s FROM loans WHERE overdue_days < $1'
  'SELECT COUNT(*) AS n FROM bank_b.loans WHERE overdue_days > $1 OR rate_bp < 400')
contracts=()
for asker in bank_a bank_c; do
  for sql in "${shapes[@]}"; do
    providers="bank_a bank_b bank_c"
    [[ $sql != *bank_b.* ]] || providers=bank_b
    contract "$asker" "$providers" "$sql"
    contracts+=("$asker $id")
  done
done
values=(10 25 40)
declare -A want=()
for s in "${!shapes[@]}"; do
  for v in "${values[@]}"; do
    sql=${shapes[s]//bank_b.loans/b.loans}
    want[$s/$v]=$(pooled "${sql//\$1/$v}")
  done
done

# The callers: what they print goes to files, so that a round can look at them when all have come back.
ask() { # NUMBER SHAPE ASKER_NUMBER VALUE
  local asker contract status=0 t0
  read -r asker contract <<<"${contracts[$(($3 * ${#shapes[@]} + $2))]}"
  t0=$(now_ms)
  as "$asker" query run "$contract" --param "1=$4" --csv --stats --timeout "$query_timeout" >"$W/$1.out" 2>"$W/$1.err" || status=$?
  echo "$status $(($(now_ms) - t0)) $2/$4" >"$W/$1.end"
}
publish() { # MEMBER
  local status=0
  as "$1" dataset publish --table other --schema "$W/other.json" >"$W/publish.out" 2>"$W/publish.err" || status=$?
  echo "$status $1" >"$W/publish.end"
}

# How long an undisturbed query takes decides where the moments lie.
ask 0 0 0 10
read -r status whole key <"$W/0.end"
[ "$status" = 0 ] && [ "$(tail -n 1 "$W/0.out")" = "${want[$key]}" ] || fail "the undisturbed query is wrong: $(cat "$W/0.err" "$W/0.out")"

# ---- one round ----
answers=0 errors=0 published=0 killed=0
check_caller() { # NUMBER
  local status took key
  read -r status took key <"$W/$1.end"
  [ "$took" -le $((query_timeout * 1000 + 20000)) ] || fail "round $round: a query took $took ms: $(cat "$W/$1.err")"
  if [ "$status" = 0 ]; then
    [ "$(tail -n 1 "$W/$1.out")" = "${want[$key]}" ] || fail "round $round: wrong: $(cat "$W/$1.out"), not ${want[$key]}"
    answers=$((answers + 1))
  else
    [ "$(wc -l <"$W/$1.err")" = 1 ] || fail "round $round: the error is not one line: $(cat "$W/$1.err")"
    [ ! -s "$W/$1.out" ] || fail "round $round: an error and an answer: $(cat "$W/$1.out")"
    errors=$((errors + 1))
    said=$(cut -c1-100 "$W/$1.err")
  fi
}
check_publication() {
  local status who
  read -r status who <"$W/publish.end"
  if [ "$status" = 0 ]; then
    published=$((published + 1))
    sed -n "s/.*final at height \([0-9]*\), leaf \([0-9]*\).*/\2 \1 $who/p" "$W/publish.out" >>"$W/acknowledged"
  else
    [ "$(wc -l <"$W/publish.err")" = 1 ] || fail "round $round: the error is not one line: $(cat "$W/publish.err")"
  fi
}
round_of() {
  local n=$((1 + RANDOM % 3)) i publishing=no signal=KILL victims=() comets=() callers=() status named delay=$((RANDOM % (whole + 60)))
  said=
  victims=("${members[RANDOM % 4]}")
  if [ $((RANDOM % 4)) = 0 ]; then
    i=${members[RANDOM % 4]}
    [ "$i" = "${victims[0]}" ] || victims+=("$i")
  fi
  [ $((RANDOM % 6)) != 0 ] || signal=TERM # they drain, with queries running
  if [ "$engine" = cometbft ] && [ $((RANDOM % 4)) = 0 ]; then # its node starts it again
    signal=COMET
    for i in "${victims[@]}"; do # 0: it is being started
      i=$(as "$i" status --json | sed -n 's/.*"pid":\([0-9]*\).*/\1/p')
      [ "${i:-0}" = 0 ] || comets+=("$i")
    done
  fi
  for i in $(seq "$n"); do
    ask "$i" $((RANDOM % ${#shapes[@]})) $((RANDOM % 2)) "${values[RANDOM % 3]}" &
    callers+=($!)
  done
  if [ $((RANDOM % 5)) = 0 ]; then
    publishing=yes
    publish "bank_$([ $((RANDOM % 2)) = 0 ] && echo b || echo c)" &
    callers+=($!)
  fi
  nap_ms "$delay"
  named="${victims[*]}"
  if [ "$signal" = COMET ]; then
    [ ${#comets[@]} = 0 ] || kill -9 "${comets[@]}" 2>/dev/null || true # one may have ended
    killed=$((killed + ${#comets[@]}))
    victims=()
  fi
  for i in "${victims[@]}"; do kill -"$signal" "${pid[$i]}"; done
  for i in "${victims[@]}"; do
    status=0
    wait "${pid[$i]}" 2>/dev/null || status=$?
    [ "$signal" = KILL ] || [ "$status" = 0 ] || fail "round $round: SIGTERM ended $i with $status: $(tail -n 3 "$W/$i/node.log")"
    # A whole block, or nothing: SQLite and our own hashes agree before anything replays the write-ahead log.
    start "$i"
    killed=$((killed + 1))
  done
  wait "${callers[@]}"
  for i in $(seq "$n"); do check_caller "$i"; done
  [ "$publishing" = no ] || check_publication
  wait_connected
  settle "round $round: after $named was ended at $delay ms"
  printf 'round %-4s %-17s SIG%s after %4s ms, %s queries%s%s\n' "$round" "$named" "$signal" "$delay" "$n" \
    "$([ "$publishing" = no ] || echo ' and a publication')" "${said:+: $said}"
}
: >"$W/acknowledged"
began=$(now_ms)
for round in $(seq "$rounds"); do
  [ "$minutes" = 0 ] || [ $(($(now_ms) - began)) -lt $((minutes * 60000)) ] || { rounds=$((round - 1)); break; }
  round_of
done
took=$(($(now_ms) - began))

# ---- the end ----
ask 0 0 0 10
read -r status _ key <"$W/0.end"
[ "$status" = 0 ] && [ "$(tail -n 1 "$W/0.out")" = "${want[$key]}" ] || fail "after all rounds a query no longer answers: $(cat "$W/0.err")"
settle "at the end"
as bank_c query list --json >"$W/queries.json"
! grep -q '"status":"open"' "$W/queries.json" || fail "a query was left open"
tr '{' '\n' <"$W/queries.json" | grep -E '"status":"(aborted|refused)"' >"$W/ended" || true
! grep -v '"rule":"' "$W/ended" || fail "a query ended without a rule"
done_there=$(tr '{' '\n' <"$W/queries.json" | grep -c '"status":"done"')
[ "$done_there" -ge $((answers + 2)) ] || fail "$answers answers were given, and the ledger has $done_there queries done"
as bank_b audit list --json >"$W/entries"
while read -r leaf height who; do
  grep -o "{[^{}]*\"leaf\":$leaf[,}][^{}]*" "$W/entries" | grep "\"height\":$height[,}]" | grep "\"alias\":\"$who\"" | grep '"rule":""' >/dev/null ||
    fail "the publication of $who at height $height, leaf $leaf was acknowledged and is not there"
done <"$W/acknowledged"
for m in "${members[@]}"; do # every replica proves the same log, whole
  as "$m" audit export --out "$W/$m.bundle" >/dev/null
  "$verify" "$W/$m.bundle" >"$W/verified" || fail "$m: the trail does not verify: $(tail -n 1 "$W/verified")"
  grep -E '^ *(log|root) ' "$W/verified" >>"$W/roots"
done
[ "$(sort -u "$W/roots" | wc -l)" = 2 ] || fail "the replicas differ: $(sort -u "$W/roots")"
homes_stop
for m in "${members[@]}"; do
  [ "$(sqlite3 "$W/$m/ledger.db" 'PRAGMA integrity_check')" = ok ] || fail "$m: ledger.db is damaged"
  [ ! -e "$W/$m/node.sock" ] || fail "$m: left its socket behind"
done
# What each replica has of each block: its time, its leaves' hashes. A later idle block may be at some alone.
for m in "${members[@]}"; do
  sqlite3 "$W/$m/ledger.db" "SELECT b.height, b.time, b.txs, (SELECT group_concat(hex(hash)) FROM leaf l WHERE l.height = b.height) FROM block b"
done | sort -u >"$W/blocks"
blocks=$(cut -d'|' -f1 "$W/blocks" | sort -u | wc -l)
disagreeing=$(cut -d'|' -f1 "$W/blocks" | sort | uniq -d | wc -l)
[ "$disagreeing" = 0 ] || fail "$disagreeing of $blocks blocks disagree"
echo "$rounds rounds in $((took / 1000)) s: $killed nodes ended, $answers queries answered, $errors ended with a named error," \
  "$(wc -l <"$W/ended") closed as not done, 0 of $published acknowledged publications lost, 0 of $blocks blocks disagreeing; one log, valid"
