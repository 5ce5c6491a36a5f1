/* cms_caps.c: any octets as SMIMECapabilities; what was read is written and read as the same. */
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/cms/cms_caps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cms_caps none;
	struct cms_caps caps, again;
	uint32_t seen = 0;
	struct buf der;

	if (cms_caps_read(data, size, &caps) == -1) {
		REQUIRE(memcmp(&caps, &none, sizeof(none)) == 0);
		return 0;
	}
	REQUIRE(size <= CMS_CAPS_DER_MAX && caps.norder <= CMS_CAPS_CIPHERS);
	for (size_t i = 0; i < caps.norder; i++) {
		REQUIRE(caps.order[i] < CMS_CAPS_CIPHERS && !(seen & 1u << caps.order[i]));
		seen |= 1u << caps.order[i];
	}
	REQUIRE(seen == (caps.has & ((1u << CMS_CAPS_CIPHERS) - 1)));
	buf_init(&der, CMS_CAPS_DER_MAX);
	REQUIRE(cms_caps_write(caps.has, &der) == 0);
	REQUIRE(cms_caps_read(der.p, der.len, &again) == 0 && again.has == caps.has && again.norder == caps.norder);
	buf_clear(&der);
	return 0;
}
