/* Counting Received fields: any split of the input gives the same counts. The first octet says where it is cut. */
#include <stdint.h>

#include "gateway/base/log.h"
#include "gateway/mail/received.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct received whole, parts;
	size_t step;

	if (size == 0)
		return 0;
	step = (size_t)data[0] + 1;
	data++;
	size--;
	received_init(&whole, "gw.a");
	received_feed(&whole, data, size);
	received_init(&parts, "gw.a");
	for (size_t at = 0; at < size; at += step)
		received_feed(&parts, data + at, size - at < step ? size - at : step);
	REQUIRE(whole.count == parts.count && whole.own == parts.own && whole.own <= whole.count);
	REQUIRE(whole.count <= size / 9);
	return 0;
}
