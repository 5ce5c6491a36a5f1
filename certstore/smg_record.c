/* "v=smg1; url=" https-url 0*2("; key=sha256/" base64url-spki-hash), in one string of at most 255 octets. */
#include "certstore/smg_record.h"

#include <string.h>
#include <strings.h>

#include "gateway/base/encode.h"

enum { KEY_CHARS = 43 };

static int bad(const char **why_r, const char *why)
{
	*why_r = why;
	return -1;
}

static int is_url_char(uint8_t c)
{
	return c > 0x20 && c < 0x7f && c != ';' && c != '"' && c != '<' && c != '>' && c != '\\';
}

/* 43 characters of base64url, the two bits left over 0. */
static int read_key(const uint8_t *p, uint8_t key_r[32])
{
	char text[KEY_CHARS + 2];

	for (size_t i = 0; i < KEY_CHARS; i++) {
		if (p[i] == '+' || p[i] == '/')
			return -1;
		text[i] = p[i] == '-' ? '+' : p[i] == '_' ? '/' : (char)p[i];
	}
	text[KEY_CHARS] = '=';
	return encode_unb64(text, KEY_CHARS + 1, key_r, 32) == 32 ? 0 : -1;
}

/* The rest behind the URL. */
static int read_keys(const uint8_t *p, size_t n, struct smg_record *r)
{
	static const char head[] = "; key=sha256/";
	const size_t one = sizeof head - 1 + KEY_CHARS;

	for (; n > 0; p += one, n -= one) {
		if (n < one || r->nkeys == SMG_RECORD_KEYS_MAX || memcmp(p, head, sizeof head - 1) != 0 ||
		    read_key(p + sizeof head - 1, r->keys[r->nkeys]) < 0)
			return -1;
		r->nkeys++;
	}
	return 0;
}

int smg_record_read(const uint8_t *p, size_t n, struct smg_record *r_r, const char **why_r)
{
	static const char version[] = "v=smg1", head[] = "v=smg1; url=";
	size_t len, url = 0;

	memset(r_r, 0, sizeof *r_r);
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
	if (read_keys(p + url, len - url, r_r) < 0)
		return bad(why_r, "behind the URL in the TXT record of _smg stands something else than two keys");
	memcpy(r_r->url, p, url);
	r_r->url[url] = '\0';
	return 1;
}
