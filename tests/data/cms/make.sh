#!/bin/sh
# Makes the keys and self-signed certificates of the CMS tests and fuzz targets. They protect nothing. Run in this directory:
# rsa, other: RSA-2048; ec: P-256; p384: P-384; p521: P-521; weak: RSA-1024, which must be refused.
set -eu
one() {
	name=$1
	shift
	openssl req -x509 -nodes -newkey "$@" -keyout "$name.key" -out "$name.pem" -days 36500 -sha256 \
		-subj "/O=Test/CN=$name.hospital.example" -addext "subjectAltName=email:$name@hospital.example" \
		-addext "basicConstraints=critical,CA:FALSE" -addext "subjectKeyIdentifier=hash" 2>/dev/null
}
one rsa rsa:2048
one other rsa:2048
one ec ec -pkeyopt ec_paramgen_curve:P-256
one p384 ec -pkeyopt ec_paramgen_curve:P-384
one p521 ec -pkeyopt ec_paramgen_curve:P-521
one weak rsa:1024
