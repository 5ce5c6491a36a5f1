#include "admin-ui/page/tmpl_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool continues(const char *p, size_t n, size_t len)
{
	if (n < len)
		return false;
	for (size_t i = 1; i < len; i++)
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/* The character at p; 0 octets for what is no UTF-8 (RFC 3629 3). */
static size_t read_char(const char *p, size_t n, uint32_t *u_r)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = (unsigned char)p[0];
	size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
	uint32_t u;

	if (len == 0 || !continues(p, n, len))
		return 0;
	u = len == 1 ? c : (uint32_t)(c & (0x7f >> len));
	for (size_t i = 1; i < len; i++)
		u = u << 6 | ((unsigned char)p[i] & 0x3f);
	if (u < least[len] || u > 0x10ffff || (u >= 0xd800 && u <= 0xdfff))
		return 0;
	*u_r = u;
	return len;
}

/* What is not seen, or makes others be seen elsewhere: C1, soft hyphen, marks and embeddings of direction, zero
 * widths, fillers, blanks that are none, separators of lines, variation selectors, formats of scripts and of music,
 * tags, what is private or never a character. */
static bool is_hidden(uint32_t u)
{
	static const uint32_t ranges[][2] = {{0x80, 0x9f}, {0xad, 0xad}, {0x34f, 0x34f}, {0x600, 0x605},
	    {0x61c, 0x61c}, {0x6dd, 0x6dd}, {0x70f, 0x70f}, {0x890, 0x891}, {0x8e2, 0x8e2}, {0x115f, 0x1160},
	    {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
	    {0x2800, 0x2800}, {0x3164, 0x3164}, {0xe000, 0xf8ff}, {0xfdd0, 0xfdef}, {0xfe00, 0xfe0f},
	    {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0x110bd, 0x110cd},
	    {0x13430, 0x1345f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff}};

	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (u >= ranges[i][0] && u <= ranges[i][1])
			return true;
	return false;
}

static const char *reference(uint32_t u)
{
	switch (u) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* U+2400 and on are pictures of the control characters. */
static int add_control(uint32_t u, struct buf *out)
{
	uint8_t picture[] = {0xe2, 0x90, (uint8_t)(0x80 | (u == 0x7f ? 0x21 : u))};

	return buf_add(out, picture, sizeof picture);
}

static int add_char(uint32_t u, const char *p, size_t len, struct buf *out)
{
	const char *ref = reference(u);

	if (ref)
		return buf_adds(out, ref);
	if (u < 0x20 || u == 0x7f)
		return add_control(u, out);
	if (is_hidden(u))
		return buf_addf(out, "[U+%04X]", (unsigned)u);
	return buf_add(out, p, len);
}

int tmpl_text_html(const char *s, size_t n, size_t most, enum tmpl_text_lines lines, struct buf *out)
{
	size_t i = 0, len;

	for (; i < n && i < most; i += len) {
		uint32_t u = 0xfffd;

		len = read_char(s + i, n - i, &u);
		if (lines == TMPL_TEXT_LINES && u == '\r' && i + 1 < n && s[i + 1] == '\n')
			continue;
		if (len == 0) {
			len = 1;
			if (buf_adds(out, "\357\277\275"))
				return -1;
		} else if (lines == TMPL_TEXT_LINES && (u == '\n' || u == '\t')) {
			if (buf_addc(out, (uint8_t)u))
				return -1;
		} else if (add_char(u, s + i, len, out)) {
			return -1;
		}
	}
	return i < n ? buf_addf(out, "\342\200\246 (%zu octets)", n) : 0;
}

int tmpl_text_url(const char *s, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			     (c && strchr("-._~", c));

		if (plain ? buf_addc(out, c) : buf_addf(out, "%%%02X", c))
			return -1;
	}
	return 0;
}
