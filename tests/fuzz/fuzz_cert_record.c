/* CERT records. What is read lies inside the record; a URL is text and not too long. */
#include "certstore/cert_record.h"

#include <string.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cert_record r;
	const char *why = NULL;
	char name[CERT_RECORD_NAME_MAX + 1];
	struct address a;

	if (cert_record_read(data, size, &r, &why) < 0) {
		REQUIRE(why && *why);
	} else if (r.kind == CERT_RECORD_DER) {
		REQUIRE(r.der >= data && r.nder > 0 && r.der + r.nder == data + size);
	} else if (r.kind == CERT_RECORD_URL) {
		REQUIRE(strlen(r.url) > 7 && strlen(r.url) <= CERT_RECORD_URL_MAX);
		REQUIRE(r.nhash == 0 || (r.hash >= data && r.hash + r.nhash <= data + size));
		(void)cert_record_hash_fits(&r, data, size);
	} else {
		REQUIRE(*why);
	}
	if (address_parse((const char *)data, size, &a, NULL) == 0 && cert_record_owner(&a, name) == 0)
		REQUIRE(strlen(name) <= CERT_RECORD_NAME_MAX && name[0] != '.');
	return 0;
}
