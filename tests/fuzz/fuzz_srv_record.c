/* SRV records, several with the length of each in front; then both orders. Nothing is lost by sorting. */
#include "certstore/srv_record.h"

#include <string.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct srv_record v[32];
	unsigned long sum = 0, after = 0;
	size_t n = 0;

	while (size > 0 && n < 32) {
		size_t k = data[0] < size ? data[0] : size - 1;
		const char *why = NULL;

		if (srv_record_read(data + 1, k, &v[n], &why) == 0) {
			REQUIRE(!v[n].host[0] || v[n].port);
			sum += v[n].priority * 3ul + v[n].weight + strlen(v[n].host);
			n++;
		} else {
			REQUIRE(why && *why);
		}
		data += 1 + k;
		size -= 1 + k;
	}
	for (int order = SRV_WEIGHT_FIRST; order <= SRV_RFC2782; order++) {
		srv_record_sort(v, n, (enum srv_record_order)order, sum);
		after = 0;
		for (size_t i = 0; i < n; i++) {
			REQUIRE(i == 0 || v[i - 1].priority <= v[i].priority);
			after += v[i].priority * 3ul + v[i].weight + strlen(v[i].host);
		}
		REQUIRE(after == sum);
	}
	return 0;
}
