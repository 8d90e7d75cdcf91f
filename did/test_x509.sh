#!/usr/bin/env bash
# Certification authorities of OpenSSL's own command, and what they issue, for test_x509.c. In the folder are p256.key, sm2.key and
# ed25519.key (the member's, PEM) and did (its DID). CASE.chain: the certificates of a record; CASE.openssl: what `openssl verify` says.
# usage: did/test_x509.sh FOLDER
set -euo pipefail
cd "$1"
exec 2>log
root() { # NAME KEY_OPTIONS... : a root CA
  local name=$1
  shift
  openssl genpkey "$@" -out "$name.key"
  openssl req -x509 -new -key "$name.key" -out "$name.pem" -days 3650 -subj "/CN=$name" -addext "basicConstraints=critical,CA:TRUE" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" ${sigopt:-}
}
issue() { # NAME KEY ISSUER EXTENSIONS [OPTIONS...] : a certificate for KEY
  local name=$1 key=$2 issuer=$3 extensions=$4
  shift 4
  openssl req -new -key "$key" -subj "/C=CN/O=Bank A/CN=$name" -out csr ${sigopt:-}
  # shellcheck disable=SC2086
  openssl x509 -req -in csr -CA "$issuer.pem" -CAkey "$issuer.key" -set_serial "0x$((serial += 1))" -days 365 ${vfyopt:-} ${sigopt:-} \
    -extfile <(printf 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n%b' "$extensions") -out "$name.pem" "$@"
}
serial=10
p256=(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)
ca='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign'
leaf='basicConstraints=CA:FALSE\n'
signs='keyUsage=critical,digitalSignature\n'

root root "${p256[@]}"
root stranger "${p256[@]}"
openssl genpkey "${p256[@]}" -out middle.key
issue middle middle.key root "$ca,digitalSignature\n"
openssl genpkey "${p256[@]}" -out nobody.key
issue nobody nobody.key root "$leaf$signs" # no CA
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out small.key
issue small small.key root "$ca\n"

openssl genpkey "${p256[@]}" -out web.key
issue web web.key root "$ca,digitalSignature\nextendedKeyUsage=serverAuth\n" # a CA for web servers
issue by_web p256.key web "$leaf${signs}extendedKeyUsage=clientAuth\n"

issue good p256.key middle "$leaf$signs"
issue direct p256.key root "$leaf"
issue ed ed25519.key middle "$leaf$signs"
issue named other.key middle "$leaf${signs}subjectAltName=URI:$(cat did),DNS:bank-a.example\n"
issue both p256.key middle "$leaf${signs}subjectAltName=URI:https://bank-a.example,URI:$(cat did)\n"
issue unbound other.key middle "$leaf$signs"
issue another p256.key middle "$leaf${signs}subjectAltName=URI:$(cat did)x\n"
issue dns p256.key middle "$leaf${signs}subjectAltName=DNS:bank-a.example\n"
issue authority p256.key middle "$ca,digitalSignature\n"
issue exchange p256.key middle "${leaf}keyUsage=critical,keyAgreement\n"
issue server p256.key middle "$leaf${signs}extendedKeyUsage=serverAuth\n"
issue client p256.key middle "$leaf${signs}extendedKeyUsage=serverAuth,clientAuth\n"
issue signer p256.key middle "$leaf${signs}extendedKeyUsage=1.3.6.1.5.5.7.3.36\n"
issue sha1 p256.key middle "$leaf$signs" -sha1
issue by_nobody p256.key nobody "$leaf$signs"
issue by_small p256.key small "$leaf$signs"
issue by_stranger p256.key stranger "$leaf$signs"
issue revoked p256.key middle "$leaf$signs"
sigopt='-sm3 -sigopt distid:1234567812345678' vfyopt='-vfyopt distid:1234567812345678'
root sm2root -algorithm EC -pkeyopt ec_paramgen_curve:SM2
issue sm2 sm2.key sm2root "$leaf$signs"
sigopt='' vfyopt=''

for name in good ed named both unbound another dns authority exchange server client signer sha1 revoked; do cat $name.pem middle.pem >$name.chain; done
cat good.pem middle.pem root.pem >rooted.chain
cat good.pem >broken.chain # nothing between it and the root
cat direct.pem >direct.chain
cat by_nobody.pem nobody.pem >by_nobody.chain
cat by_small.pem small.pem >by_small.chain
cat by_web.pem web.pem >by_web.chain
cat by_stranger.pem stranger.pem >by_stranger.chain
cat sm2.pem >sm2.chain
for chain in *.chain; do
  how=(-CAfile root.pem)
  [ "$chain" != sm2.chain ] || how=(-CAfile sm2root.pem -vfyopt distid:1234567812345678)
  if openssl verify -x509_strict -auth_level 2 -no-CApath -no-CAstore "${how[@]}" -untrusted "$chain" "$chain" >/dev/null; then
    echo yes >"${chain%.chain}.openssl"
  else
    echo no >"${chain%.chain}.openssl"
  fi
done

# Revocation lists of both CAs; the second pair revokes `revoked`, the third the CA between.
crl() { # CA FILE [CERTIFICATE [DIGEST]]
  : >index
  echo 01 >crlnumber
  printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index\ncrlnumber=crlnumber\ndefault_md=%s\n' "${4:-sha256}" >ca.cnf
  [ -z "${3:-}" ] || openssl ca -config ca.cnf -revoke "$3" -cert "$1.pem" -keyfile "$1.key"
  openssl ca -config ca.cnf -gencrl -crldays 300 -cert "$1.pem" -keyfile "$1.key" -out "$2"
}
crl root root.crl
crl middle middle.crl revoked.pem
crl root root2.crl middle.pem
crl sm2root sm2lists.pem "" sm3
cat root.crl middle.crl >lists.pem
cat root2.crl middle.crl >lists2.pem
cp root.crl half.pem
echo done >done
