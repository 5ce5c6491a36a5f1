/* Sealed key files and wrapped data keys as somebody who can write to our directory could leave them. Nothing is
 * found authentic, nothing crashes. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/keys/keeper_files.h"
#include "gateway/keys/keeper_proto.h"
#include "gateway/keys/keeper_wrap.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct keeper_secrets secrets = {{1}, {2}};
	uint8_t key[KEYS_DATA_KEY];
	struct problem pr = {0};
	EVP_PKEY *pkey;

	REQUIRE(keeper_files_open(&secrets, "ab.key", p, n, &pr) == NULL);
	REQUIRE(keeper_wrap_open(secrets.queue, p, n, key, &pr) == -1);
	REQUIRE(
	    keeper_files_master_open("x", 1, p, n < KEEPER_FILES_MASTER ? n : KEEPER_FILES_MASTER - 1, &pr) == NULL);
	pkey = n <= KEEPER_PKCS8_MAX ? keeper_files_pkcs8(p, n, "fuzz", &pr) : NULL;
	EVP_PKEY_free(pkey);
	return 0;
}
