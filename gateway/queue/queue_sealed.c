/* Message-IDs as they are remembered. Compared octet by octet (RFC 5322 3.6.4 leaves no room for case). Pure. relay.
 */
#include "gateway/queue/queue_sealed.h"

#include <openssl/evp.h>
#include <string.h>

#include "gateway/base/log.h"

int64_t queue_sealed_hash(const char *message_id)
{
	static const char around[] = " \t\r\n<>";
	const char *p = message_id + strspn(message_id, around);
	size_t n = strlen(p);
	uint8_t md[EVP_MAX_MD_SIZE];
	uint64_t v = 0;

	while (n && strchr(around, p[n - 1]))
		n--;
	if (EVP_Digest(p, n, md, NULL, EVP_sha256(), NULL) != 1)
		log_fatal("OpenSSL has no SHA-256: check its configuration file and the default provider");
	for (int i = 0; i < 8; i++)
		v = v << 8 | md[i];
	return (int64_t)(v >> 1);
}
