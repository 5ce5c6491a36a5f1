#include "interop/kit/visible.h"

#include <string.h>

size_t utf8_next(const char *p, size_t n, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)*p;
	size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;

	if (len == 0 || len > n)
		return 0;
	*c = len == 1 ? first : first & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | ((unsigned char)p[i] & 0x3f);
	}
	return *c < least[len] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff) ? 0 : len;
}

/* C0, DEL, C1, what turns the direction or has no width, separators of lines, noncharacters */
static bool hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe || (c >= 0xe0000 && c <= 0xe0fff);
}

void visible_add(struct buf *b, const char *p, size_t n)
{
	buf_adds(b, "");
	while (n > 0) {
		uint32_t c = 0;
		size_t len = utf8_next(p, n, &c);

		if (len == 0)
			buf_addf(b, "\\x%02x", (unsigned char)*p);
		else if (hidden(c))
			buf_addf(b, c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? " " : "\\u{%x}", c);
		else
			buf_add(b, p, len);
		p += len ? len : 1;
		n -= len ? len : 1;
	}
}

void markup_add(struct buf *b, const char *text)
{
	struct buf plain = {0};

	visible_add(&plain, text, strlen(text));
	for (const char *p = plain.p; *p; p++) {
		if (*p == '&')
			buf_adds(b, "&amp;");
		else if (*p == '<')
			buf_adds(b, "&lt;");
		else if (*p == '>')
			buf_adds(b, "&gt;");
		else if (*p == '"')
			buf_adds(b, "&quot;");
		else if (*p == '\'')
			buf_adds(b, "&#39;");
		else
			buf_add(b, p, 1);
	}
	buf_free(&plain);
}

void markdown_add(struct buf *b, const char *text)
{
	struct buf plain = {0};

	visible_add(&plain, text, strlen(text));
	for (const char *p = plain.p; *p; p++) {
		if (strchr("\\`*_[]<>|#", *p))
			buf_adds(b, "\\");
		buf_add(b, p, 1);
	}
	buf_free(&plain);
}

void href_add(struct buf *b, const char *path)
{
	for (const char *p = path; *p; p++) {
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
		    strchr("/-._~", *p))
			buf_add(b, p, 1);
		else
			buf_addf(b, "%%%02X", (unsigned char)*p);
	}
}
