/* "v=smg1; url=" https-url 0*2("; key=sha256/" base64url-spki-hash), in one string of at most 255 octets. */
#include "certstore/smg_record.h"

#include <string.h>
#include <strings.h>

enum { KEYS_MAX = 2, KEY_CHARS = 43 };

static int bad(const char **why_r, const char *why)
{
	*why_r = why;
	return -1;
}

static int is_url_char(uint8_t c)
{
	return c > 0x20 && c < 0x7f && c != ';' && c != '"' && c != '<' && c != '>' && c != '\\';
}

static int is_b64url(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* The rest behind the URL. */
static int check_keys(const uint8_t *p, size_t n)
{
	static const char head[] = "; key=sha256/";
	const size_t one = sizeof head - 1 + KEY_CHARS;
	size_t keys = 0;

	for (; n > 0; p += one, n -= one) {
		if (n < one || ++keys > KEYS_MAX || memcmp(p, head, sizeof head - 1) != 0)
			return -1;
		for (size_t i = sizeof head - 1; i < one; i++)
			if (!is_b64url(p[i]))
				return -1;
	}
	return 0;
}

int smg_record_read(const uint8_t *p, size_t n, char url_r[SMG_RECORD_URL_MAX + 1], const char **why_r)
{
	static const char version[] = "v=smg1", head[] = "v=smg1; url=";
	size_t len, url = 0;

	url_r[0] = '\0';
	*why_r = "";
	if (n == 0 || (size_t)p[0] + 1 > n || p[0] < sizeof version - 1 ||
	    memcmp(p + 1, version, sizeof version - 1) != 0)
		return 0;
	len = p[0];
	if (len + 1 != n)
		return bad(why_r, "the TXT record of _smg has more than one string");
	p++;
	if (len < sizeof head - 1 || memcmp(p, head, sizeof head - 1) != 0)
		return bad(why_r, "the TXT record of _smg has no url= behind v=smg1");
	p += sizeof head - 1;
	len -= sizeof head - 1;
	while (url < len && is_url_char(p[url]))
		url++;
	if (url <= 8 || strncasecmp((const char *)p, "https://", 8) != 0)
		return bad(why_r, "the URL in the TXT record of _smg is not an https URL");
	if (check_keys(p + url, len - url) < 0)
		return bad(why_r, "behind the URL in the TXT record of _smg stands something else than two keys");
	memcpy(url_r, p, url);
	url_r[url] = '\0';
	return 1;
}
