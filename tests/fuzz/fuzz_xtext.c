/* xtext and ORCPT: what is accepted is printable and decodes; what is not accepted without UTF-8 may be with it,
 * never the other way round. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/envelope.h"
#include "gateway/mail/utf8.h"
#include "gateway/mail/xtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char out[ENVELOPE_ORCPT_MAX + 1], *p = malloc(size ? size : 1); /* its own block */
	int n;

	memcpy(p, data, size);
	n = xtext_decode(p, size, out, sizeof out);
	REQUIRE(n < 0 || (size_t)n <= size);
	if (xtext_printable(p, size, ENVELOPE_ENVID_MAX)) {
		REQUIRE(size <= ENVELOPE_ENVID_MAX && n > 0 && strlen(out) == (size_t)n);
		REQUIRE(utf8_text(out, (size_t)n) && !utf8_needed(out, (size_t)n));
	}
	if (xtext_orcpt(p, size, ENVELOPE_ORCPT_MAX, false)) {
		REQUIRE(xtext_orcpt(p, size, ENVELOPE_ORCPT_MAX, true) && !utf8_needed(p, size));
	}
	if (xtext_orcpt(p, size, ENVELOPE_ORCPT_MAX, true)) {
		REQUIRE(size <= ENVELOPE_ORCPT_MAX && utf8_text(p, size) && memchr(p, ';', size));
		REQUIRE(!memchr(p, ' ', size));
	}
	free(p);
	return 0;
}
