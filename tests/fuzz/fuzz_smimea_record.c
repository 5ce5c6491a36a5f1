/* SMIMEA records. What is read lies inside the record and has lawful fields. */
#include "certstore/smimea_record.h"

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trust_dane d;
	const char *why = NULL;

	if (smimea_record_read(data, size, &d, &why) < 0) {
		REQUIRE(why && *why);
		return 0;
	}
	REQUIRE(
	    d.usage <= 3 && d.selector <= 1 && d.matching <= 2 && d.data == data + 3 && d.n + 3 == size && d.n > 0);
	(void)smimea_record_is_cert(&d);
	return 0;
}
