#!/usr/bin/env bash
# A data subject's wallet against real nodes: two banks ask about one person, with consents that its wallet signed, until it withdraws
# them; at a branch, and by a company's representative. What the ledger has on the two banks' consents has nothing in common.
# usage: tests/wallet.sh BUILD_FOLDER
set -euo pipefail
build=$(cd "$1" && pwd) name=wallet.sh
# shellcheck source=tests/homes.sh
. tests/homes.sh

export FIRMIANA_WALLET=$W/wallet
wallet() { "$firmiana" wallet "$@"; }
refused() { # EXIT_CODE TEXT COMMAND...
  local code=$1 text=$2 out status=0
  shift 2
  out=$("$@" 2>&1 >/dev/null) || status=$?
  [ "$status" = "$code" ] || fail "exit code $status, not $code: $*: $out"
  [[ $out == *"$text"* && $(wc -l <<<"$out") = 1 ]] || fail "not '$text': $*: $out"
}

# ---- the file ----
wallet create "$FIRMIANA_WALLET" >/dev/null
refused 11 "there is a file of that name" wallet create "$FIRMIANA_WALLET"
FIRMIANA_NEW_PASSPHRASE="another passphrase" wallet passphrase >/dev/null
refused 7 "wallet: the passphrase is wrong" wallet show
export FIRMIANA_PASSPHRASE_OF_WALLET="another passphrase"
wallet() { FIRMIANA_PASSPHRASE=$FIRMIANA_PASSPHRASE_OF_WALLET "$firmiana" wallet "$@"; }
FIRMIANA_NEW_PASSPHRASE=1234567 refused 2 "the passphrase is too short" wallet passphrase
wallet phrase >"$W/phrase"
refused 3 "checksum does not fit" wallet recover "$W/none" --phrase-fd 8 8< <(sed 's/q$/p/;t;s/.$/q/' "$W/phrase")
refused 11 "knows no ledger yet" wallet did --with bank_a

# ---- two banks, one person ----
homes_make 60
homes_start
for b in "${banks[@]}"; do as "$b" dataset publish --table loans >/dev/null; done
wallet trust "$W/genesis.json" | grep "chain $(as bank_a status --json | sed -n 's/.*"chain":"\([0-9a-f]*\)".*/\1/p')" >/dev/null || fail "another chain"
did_a=$(wallet did --with bank_a) did_b=$(wallet did --with bank_b)
[ "$did_a" != "$did_b" ] || fail "DIDs are not pairwise: $did_a, $did_b"
subject=$(sqlite3 :memory: "ATTACH '$W/data/bank_a.db' AS a; ATTACH '$W/data/bank_b.db' AS b; SELECT subject_id FROM a.loans INTERSECT SELECT subject_id FROM b.loans LIMIT 1")
exposure() { # ASKER: its contract goes to $id
  cat >"$W/spec.json" <<SPEC
{"name": "exposure for $1", "purpose": "credit decision", "sql": "SELECT COUNT(*) AS loans, MAX(overdue_days) AS worst FROM loans WHERE subject_id = \$1",
 "compute": ["bank_a", "bank_b", "regulator"], "recipients": ["$1"], "parameters": [{"name": "\$1", "type": "INTEGER", "subject": true}],
 "minimum_group": 1, "consent": {"requirement": "subject", "parameter": 1, "modes": ["attested", "mandate", "signed"]}}
SPEC
  as "$1" contract draft "$W/spec.json" --out "$W/contract.json" >/dev/null
  as "$1" contract propose "$W/contract.json" >/dev/null
  id=$(tr -d '\n' <"$W/contract.json" | digest)
  for b in "${banks[@]}"; do as "$b" contract authorize "$id" --runs 100 >/dev/null; done
}
exposure bank_a; contract_a=$id
exposure bank_b; contract_b=$id
want=$(pooled "SELECT COUNT(*), MAX(overdue_days) FROM loans WHERE subject_id = $subject")
echo "$subject" >"$W/identifier"
grant() { # NAME GRANTEE OPTIONS...
  wallet grant --identifier-file "$W/identifier" --scheme demo.id --grantee "$2" --out "$W/$1.json" --opening "$W/$1.opening" "${@:3}" >"$W/$1.out" || return
  sed -n 's/^consent \([0-9a-f]*\)$/\1/p' "$W/$1.out"
}
ask() { as "$1" query run "$2" --param "1=$subject" --consent "$W/$3.opening" --csv --ticket "T-$3" | tail -n 1; }
answered() { [ "$(ask "$@")" = "$want" ] || fail "$*: not $want"; }
one=$(grant one bank_a --purpose "credit decision" --uses 5)
two=$(grant two bank_b --contract "$contract_b" --uses 5)
for n in one two; do as bank_c consent relay "$W/$n.json" >/dev/null; done
settle "two consents"
answered bank_a "$contract_a" one
answered bank_b "$contract_b" two
wallet revoke "${one:0:8}" --out "$W/one.revocation" >/dev/null
as regulator consent relay "$W/one.revocation" >/dev/null
settle "one is withdrawn"
refused 4 consent.revoked ask bank_a "$contract_a" one
refused 12 "the wallet has no consent 00000000" wallet revoke 00000000 --out "$W/none"
refused 12 "knows no member 'bank_x', but bank_a bank_b bank_c regulator" grant x bank_x --purpose p

# ---- at a branch, and for a company ----
grant branch bank_a --contract "$contract_a" --attestor bank_c >/dev/null
refused 4 consent.proof as bank_b consent relay "$W/branch.json"
as bank_c consent attest "$W/branch.json" >/dev/null
settle "a consent at a branch"
answered bank_a "$contract_a" branch
jsons() { printf '{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential", "%s"], "credentialSubject": {"id": "%s", "of": "%s"}}' "$@"; }
company=$("$firmiana" credential key --out "$W/company.key")
boss=$(wallet did --with bank_c --mandate)
[ "$boss" != "$(wallet did --with bank_c)" ] || fail "a mandate is for the pairwise DID"
cat >"$W/draft" <<VC
{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential", "RepresentativeMandate"],
 "credentialSchema": {"id": "urn:firmiana:schema:mandate:1", "type": "JsonSchema"}, "credentialSubject": {"id": "$boss",
 "company": {"id": "$company", "legalName": "Wutong Ltd", "uscc": "91310000MA1FL0AB0C"}, "powers": ["consent.grant", "consent.revoke"]}}
VC
"$firmiana" credential issue "$W/draft" --key "$W/company.key" --out "$W/mandate.vc"
held=$(wallet receive "$W/mandate.vc" | cut -c1-12)
refused 11 "the wallet has it already" wallet receive "$W/mandate.vc"
wallet present "$held" --challenge "47114711" --domain bank_c --out "$W/shown"
"$firmiana" credential verify "$W/shown" --challenge "47114711" --domain bank_c | grep "^holder  $boss" >/dev/null || fail "the counter does not see $boss"
refused 1 "challenge" "$firmiana" credential verify "$W/shown" --challenge "47124712" --domain bank_c
refused 12 "has no mandate for" grant company bank_a --contract "$contract_a" --mandate "$boss"
as bank_c consent mandate --representative "$boss" --identifier-file "$W/identifier" --scheme demo.id --out "$W/mandate" --opening "$W/mandate.opening" >/dev/null
refused 2 "needs --opening" wallet receive "$W/mandate"
wallet receive "$W/mandate" --opening "$W/mandate.opening" >/dev/null
wallet show --json >"$W/out"
grep -q '"mandates":\[{"did"' "$W/out" && ! grep -qE '"(nonce|identifier)":' "$W/out" || fail "show --json tells what opens commitments: $(cat "$W/out")"
company_consent=$(grant company bank_a --contract "$contract_a" --mandate "$boss")
as bank_a consent relay "$W/company.json" >/dev/null
answered bank_a "$contract_a" company

# ---- credentials ----
jsons Diploma "$did_b" "Fudan" >"$W/draft"
as bank_b credential issue "$W/draft" --out "$W/diploma"
refused 12 "is not at hand" wallet receive "$W/diploma"
as bank_b did show bank_b >"$W/bank_b.document"
diploma=$(wallet receive "$W/diploma" --document "$W/bank_b.document" | cut -c1-12)
refused 2 "are about two DIDs" wallet present "$diploma" "$held" --challenge 1 --domain x
sed 's/Fudan/Tongji/' "$W/diploma" >"$W/altered"
refused 1 "altered:" wallet receive "$W/altered" --document "$W/bank_b.document"
jsons Diploma "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK" "Fudan" >"$W/draft"
"$firmiana" credential issue "$W/draft" --key "$W/company.key" --out "$W/other.vc"
refused 12 "is no DID that this wallet gave" wallet receive "$W/other.vc"
echo '{"vct": "https://x.example/kyc", "name": "Zhang San", "level": 2}' >"$W/claims"
"$firmiana" credential issue "$W/claims" --format sd-jwt --holder "$did_a" --key "$W/company.key" --out "$W/kyc"
kyc=$(wallet receive "$W/kyc" | cut -c1-12)
rm "$W/shown"
wallet present "$kyc" --disclose /level --challenge 10000001 --domain bank_a --out "$W/shown"
"$firmiana" credential verify "$W/shown" --challenge 10000001 --domain bank_a >"$W/out"
grep -q "^holder  $did_a" "$W/out" && grep -q "level  *2" "$W/out" && ! grep -q Zhang "$W/out" || fail "$(cat "$W/out")"
[ "$(wallet credentials | grep -c "your DID towards bank_[abc]")" = 3 ] || fail "$(wallet credentials)"
cat >"$W/schema" <<SCHEMA
{"\$id": "https://x.example/pass", "\$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
 "properties": {"credentialSubject": {"required": ["level"]}}, "required": ["credentialSubject"]}
SCHEMA
jsons 'Pa\u001b[2Jss\u202e' "$did_a" "Fudan" | sed 's|}}$|}, "credentialSchema": {"id": "https://x.example/pass", "type": "JsonSchema"}}|' >"$W/draft"
sed 's/"level"/"of"/' "$W/schema" >"$W/schema.2"
"$firmiana" credential issue "$W/draft" --key "$W/company.key" --schema "$W/schema.2" --out "$W/pass"
refused 1 "schema https://x.example/pass" wallet receive "$W/pass" --schema "$W/schema"
refused 12 "give it with --schema" wallet receive "$W/pass"
wallet receive "$W/pass" --schema "$W/schema.2" >"$W/out"
pass=$(cut -c1-12 "$W/out")
wallet credentials >>"$W/out"
[ "$(grep -c "  Pa?\[2Jss?, " "$W/out")" = 2 ] && ! grep -q $'\e' "$W/out" || fail "text of others is printed raw: $(cat -v "$W/out")"
wallet remove "$pass"
wallet remove "$held"
refused 12 "the wallet has no credential" wallet present "$held" --challenge 1 --domain x

# ---- codes ----
refused 2 "must end with .png or .svg" wallet export "$two" --image "$W/code.gif"
refused 2 "one of them" wallet export "$two" --qr --out "$W/none"
wallet export "$two" --image "$W/two.png" >/dev/null
wallet present "$diploma" --challenge "$(printf 'x%.0s' $(seq 1200))" --domain bank_b --image "$W/diploma.png" >"$W/out"
[ "$(grep -c "diploma-[0-9].png: code" "$W/out")" -ge 2 ] || fail "a long presentation is not in several codes: $(cat "$W/out")"
wallet export "$two" --opening --qr >"$W/opening.qr"
wallet export "$two" --opening --out "$W/opening.out"
wallet export "$kyc" --credential --out "$W/kyc.out"
[ "$(wallet export "$kyc" --credential --json)" = "\"$(cat "$W/kyc.out")\"" ] || fail "an SD-JWT as JSON is $(wallet export "$kyc" --credential --json)"
[ "$(wallet export "$two" --json)" = "$(cat "$W/two.json")" ] || fail "a consent as JSON is $(wallet export "$two" --json)"
refused 2 "--json is for standard output" wallet export "$two" --json --qr
for f in opening.out kyc.out shown kyc two.opening two.png mandate.vc; do
  [ "$(stat -c %a "$W/$f")" = 600 ] || fail "$f: others may read it: $(stat -c %a "$W/$f")"
done
refused 13 "hand over the file instead" wallet present "$diploma" --challenge "$(printf 'x%.0s' $(seq 16000))" --domain bank_b --qr
if command -v zbarimg >/dev/null; then
  { zbarimg -q --raw "$W"/two*.png 2>/dev/null || fail "zbarimg reads no code"; } | "$firmiana" wallet scan /dev/stdin --out "$W/scanned"
  [ "$(stat -c %a "$W/scanned")" = 600 ] || fail "others may read what was scanned"
  cmp "$W/scanned" "$W/two.json" || fail "what was scanned is another consent"
  zbarimg -q --raw "$W"/diploma-*.png 2>/dev/null | tac >"$W/lines"
  rm -f "$W/scanned"
  "$firmiana" wallet scan "$W/lines" --out "$W/scanned"
  "$firmiana" credential verify "$W/scanned" --challenge "$(printf 'x%.0s' $(seq 1200))" --domain bank_b --document "$W/bank_b.document" >/dev/null || fail "scanned: not valid"
  refused 3 "is missing" "$firmiana" wallet scan <(head -n 1 "$W/lines")
  # A terminal's blocks as a picture: eight pixels a module.
  perl -CSD -e 'my @l = map { chomp; $_ } <>; my $w = length $l[0]; printf "P1\n%d %d\n", 8 * $w, 16 * @l;
    for my $l (@l) { for my $h (0, 1) { my $r = join "", map { my $d = $_ eq " " || $_ eq ($h ? "\x{2580}" : "\x{2584}"); ($d ? "1 " : "0 ") x 8 } split //, $l; print "$r\n" x 8 } }' \
    "$W/opening.qr" >"$W/opening.pbm"
  [ "$(zbarimg -q --raw "$W/opening.pbm" 2>/dev/null)" = "$(cat "$W/two.opening")" ] || fail "the code on the terminal is not the opening"
else
  echo "$name: no zbarimg: that scanners read the codes was not checked"
fi

# ---- what the ledger has ----
settle "before the first trail"
as regulator audit export --out "$W/trail" >/dev/null
wallet find "$W/trail" | grep "5 receipt(s) found" >/dev/null || fail "$(wallet find "$W/trail")"
wallet remove "$diploma"
wallet receive "$W/diploma" --trail "$W/trail" >/dev/null
wallet consents >"$W/out"
[ "$(grep -c "granted .* height" "$W/out")" = 4 ] && grep -q "^${one:0:12}  to bank_a (signed): withdrawn" "$W/out" || fail "$(cat "$W/out")"
for n in one two branch company; do grep -oE '[0-9a-f]{64}|z[1-9A-HJ-NP-Za-km-z]{40,}' "$W/$n.json" | sort -u >"$W/$n.words"; done
as bank_a status --json | grep -oE '[0-9a-f]{64}' | sort -u >"$W/public"
printf '%s\n' "$contract_a" "$contract_b" >>"$W/public"
for pair in "one two" "one branch" "one company" "two branch" "two company" "branch company"; do
  read -r x y <<<"$pair"
  common=$(comm -12 "$W/$x.words" "$W/$y.words" | grep -vxF -f "$W/public" || true)
  [ -z "$common" ] || fail "consents $x and $y have $common in common"
done
for secret in "$did_a" "$did_b" "$(sed -n 's/.*"public":"\([^"]*\)".*/\1/p' "$FIRMIANA_WALLET")" "$subject\""; do
  ! grep -qF -- "$secret" "$W/trail" || fail "the ledger has $secret"
done

# ---- a lost file ----
wallet recover "$W/again" --phrase-fd 8 8<"$W/phrase" >/dev/null
cp "$W/again" "$W/blank"
FIRMIANA_WALLET=$W/again
wallet trust "$W/genesis.json" >/dev/null
[ "$(wallet did --with bank_b)" = "$did_b" ] || fail "the phrase gives other DIDs"
grant early bank_a --purpose p >/dev/null # before it knows any of its consents
refused 11 "does not know which keys it has used" wallet did --with bank_c --mandate
as regulator audit export --entry 1 --out "$W/trail.part" >/dev/null
refused 1 "a recovered wallet needs a whole one" wallet find "$W/trail.part"
wallet find "$W/trail" | grep "5 receipt(s) found" >/dev/null || fail "not all were found again"
known=$(FIRMIANA_WALLET=$W/wallet wallet consents --json | grep -oE '"subject":"[^"]*"' | sort -u)
[ "$(wallet consents | grep -c 'permits')" = 5 ] || fail "$(wallet consents)"
wallet revoke "$two" --out "$W/two.revocation" >/dev/null
wallet revoke "$company_consent" --out "$W/company.revocation" >/dev/null
for n in two company; do as bank_c consent relay "$W/$n.revocation" >/dev/null; done
settle "two are withdrawn"
refused 4 consent.revoked ask bank_b "$contract_b" two
three=$(grant three bank_a --purpose "credit decision")
! grep -qF "$(grep -oE '"subject":"[^"]*"' "$W/three.json")" <<<"$known" && ! grep -qF "$(grep -oE '"subject":"[^"]*"' "$W/early.json")" <<<"$known" || fail "a key is used twice after a recovery"
[ "$(wallet did --with bank_c --mandate)" != "$boss" ] || fail "a mandate's DID is given twice after a recovery"
as bank_c consent relay "$W/three.json" >/dev/null
settle "a third consent"
answered bank_a "$contract_a" three

# ---- who asked ----
settle "before the second trail"
as regulator audit export --out "$W/trail.2" >/dev/null
as bank_b audit export --out "$W/trail.bank_b" >/dev/null
story() { grep -oE 'you (permitted|withdrew from) bank_.|bank_. asked: [^:]*' "$1" | tr '\n' ','; }
told="you permitted bank_a,you permitted bank_b,bank_a asked: answered,bank_b asked: answered,you withdrew from bank_a,bank_a asked: REFUSED (consent.revoked),"
told+="you permitted bank_a,bank_a asked: answered,you permitted bank_a,bank_a asked: answered,you withdrew from bank_b,you withdrew from bank_a,bank_b asked: REFUSED (consent.revoked),you permitted bank_a,bank_a asked: answered,"
wallet history "$W/trail.2" "$W/trail.bank_b" >"$W/out"
[ "$(story "$W/out")" = "$told" ] || fail "$(cat "$W/out")"
grep -q 'contract   .* "exposure for bank_b", for "credit decision"' "$W/out" && ! grep -q "ticket" "$W/out" || fail "$(cat "$W/out")"
[ "$(wallet history "$W/trail.bank_b" "$W/trail.2" --json | grep -o '"outcome":"refused"' | wc -l)" = 2 ] || fail "--json"
as bank_a audit subject --id-file "$W/identifier" --out "$W/statement" >/dev/null
refused 1 "statement: the statement is not about an identifier" env FIRMIANA_WALLET="$W/blank" FIRMIANA_PASSPHRASE="$FIRMIANA_PASSPHRASE_OF_WALLET" \
  "$firmiana" wallet history "$W/trail.2" --statement "$W/statement"
refused 1 "export a newer one" wallet history "$W/trail" --statement "$W/statement"
wallet history "$W/trail.2" --statement "$W/statement" --identifier-file "$W/identifier" >"$W/out"
[ "$(story "$W/out")" = "$told" ] && [ "$(grep -c "ticket T-one: so says bank_a" "$W/out")" = 2 ] || fail "$(cat "$W/out")"
sed 's/"expires":17/"expires":18/' "$W/trail.2" >"$W/altered"
refused 1 "altered: line" wallet history "$W/altered"
homes_stop
echo "$name: two banks asked with consents of one wallet, until it withdrew them; nothing on the ledger links these; a phrase brought all back"
